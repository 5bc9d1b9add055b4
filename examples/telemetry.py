"""What a service tells OpenTelemetry: a shop with a slow supplier, and figures of all of it.

    python examples/telemetry.py

The figures go to a reader in memory and are printed at the end; a real service gives its provider a
reader that exports, ``PeriodicExportingMetricReader(OTLPMetricExporter())``, say. Needs an SDK:
``pip install 'trio-otp[opentelemetry]' opentelemetry-sdk``.
"""

import trio
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, MetricReader, NumberDataPoint

from runtime import Call, CallExit, GenServer, handles, named
from runtime.telemetry.opentelemetry import OpenTelemetry
from supervisors import (
    MaxChildren,
    RateLimiter,
    RateLimiterRef,
    TaskSupervisor,
    TaskSupervisorRef,
    open_supervisor,
)


class Buy(Call[int]):
    """Reply with the price."""

    item: str


class Shop(GenServer):
    @handles(Buy)
    def buy(self, request: Buy) -> int:
        if not request.item:
            raise ValueError("nothing to buy")
        return len(request.item)


children = [
    Shop.child_spec().replace(name="shop"),
    RateLimiter.child_spec(rate=50, burst=1).replace(name="supplier"),
    TaskSupervisor.child_spec(max_children=2).replace(name="deliveries"),
]


async def deliver(begun: trio.Event) -> None:
    async with RateLimiterRef("supplier").permit():
        begun.set()
        await trio.sleep_forever()


async def trade(reader: InMemoryMetricReader) -> None:
    shop, deliveries = named("shop"), TaskSupervisorRef("deliveries")
    for item in ("apple", "pear", ""):
        try:
            await shop.call(Buy(item))
        except CallExit:
            print("the shop has crashed and is restarted")
    try:
        while True:
            begun = trio.Event()
            await deliveries.start_nolink(deliver, begun)
            await begun.wait()
    except MaxChildren:
        print("two deliveries are under way, and no more")
    show(reader)


def show(reader: InMemoryMetricReader) -> None:
    data = reader.get_metrics_data()
    assert data is not None
    for resource in data.resource_metrics:
        for metric in sorted(resource.scope_metrics[0].metrics, key=lambda one: one.name):
            print(metric.name, metric.unit)
            for point in metric.data.data_points:
                figure = point.value if isinstance(point, NumberDataPoint) else point.count
                attributes = {str(name): value for name, value in (point.attributes or {}).items()}
                print("   ", figure, attributes)


async def main() -> None:
    reader = InMemoryMetricReader()
    readers: list[MetricReader] = [reader]
    exporter = OpenTelemetry(MeterProvider(metric_readers=readers))
    async with open_supervisor(children, instruments=[exporter]):
        await trade(reader)


if __name__ == "__main__":
    trio.run(main)
