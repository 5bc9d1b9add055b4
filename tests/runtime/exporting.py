"""What the tests of the exporter share: an SDK whose figures can be read at any time."""

from __future__ import annotations

from typing import TypeAlias

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import (
    Histogram,
    HistogramDataPoint,
    InMemoryMetricReader,
    Metric,
    NumberDataPoint,
)

Figures: TypeAlias = dict[tuple[tuple[str, object], ...], float | int]


class Exported:
    """A provider whose figures can be read at any time."""

    def __init__(self) -> None:
        self.reader = InMemoryMetricReader()
        self.provider = MeterProvider(metric_readers=[self.reader], shutdown_on_exit=False)

    def metrics(self) -> dict[str, Metric]:
        """All that has a figure, by name."""
        data = self.reader.get_metrics_data()
        if data is None:
            return {}
        (scope,) = [scope for one in data.resource_metrics for scope in one.scope_metrics]
        assert scope.scope.name == "trio_otp"
        return {metric.name: metric for metric in scope.metrics}

    def figures(self, name: str) -> Figures:
        """Of one metric, by attributes; of a histogram the sum."""
        metric = self.metrics().get(name)
        return {} if metric is None else _figures(metric)

    def points(self, name: str) -> list[HistogramDataPoint]:
        """Of a histogram."""
        data = self.metrics()[name].data
        assert isinstance(data, Histogram)
        return list(data.data_points)


def _figures(metric: Metric) -> Figures:
    figures: Figures = {}
    for point in metric.data.data_points:
        key = tuple(sorted((point.attributes or {}).items()))
        figures[key] = point.value if isinstance(point, NumberDataPoint) else point.sum
    return figures


def of(**attributes: str) -> tuple[tuple[str, object], ...]:
    """The attributes of a figure: some have names that everybody uses, the others are ours."""
    names = {"error_type": "error.type", "function": "code.function.name"}
    return tuple(
        sorted(
            (names.get(name, f"trio_otp.{name.replace('_', '.')}"), value)
            for name, value in attributes.items()
        )
    )
