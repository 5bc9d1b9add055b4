# Manual demand, accumulate mode, from_enumerable and stream.
Code.require_file("_stages.exs", __DIR__)
ask = fn c, n -> r = GenStage.call(c, {:ask, n}); T.settle(15); r end
T.section("manual: no demand until asked; whole batches, no splitting, no automatic refill")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 20)
  {:ok, c} = Sink.start_link(mode: :manual)
  GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 2); T.settle(20)
  T.log("ask 3"); ask.(c, 3)
  T.log("ask 7 (above max_demand, allowed)"); ask.(c, 7)
  T.log("ask 0 -> #{inspect(ask.(c, 0))}")
end)
T.section("accumulate: demand signals are kept separate and replayed in order")
T.iso(fn ->
  {:ok, p} = Count.start_link(demand: :accumulate, total: 20)
  {:ok, c} = Sink.start_link(mode: :manual)
  GenStage.sync_subscribe(c, to: p); ask.(c, 2); ask.(c, 3)
  T.log("forward"); GenStage.demand(p, :forward); T.settle()
end)
T.section("accumulate: pushed events are held too, in order with the demand")
T.iso(fn ->
  {:ok, p} = Push.start_link(demand: :accumulate)
  {:ok, c} = Sink.start_link(mode: :manual)
  GenStage.sync_subscribe(c, to: p); ask.(c, 2)
  Push.push(p, [1, 2, 3]); ask.(c, 4); T.settle(20)
  T.log("buffered while accumulating #{GenStage.estimate_buffered_count(p)}")
  T.log("forward"); GenStage.demand(p, :forward); T.settle()
end)
T.section("switching a running producer to accumulate pauses it")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 20)
  {:ok, c} = Sink.start_link(mode: :manual)
  GenStage.sync_subscribe(c, to: p); ask.(c, 2)
  GenStage.demand(p, :accumulate); ask.(c, 2); T.log("paused #{GenStage.demand(p)}")
  GenStage.demand(p, :forward); T.settle()
end)
T.section("from_enumerable: finite source stops with :normal once all is delivered; permanent consumer stops too")
T.iso(fn ->
  {:ok, p} = GenStage.from_enumerable(1..7)
  {:ok, c} = Sink.start([])
  GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 2); T.settle()
  T.log("producer #{Process.alive?(p)} consumer #{Process.alive?(c)}")
end)
T.section("from_enumerable with cancel: :transient: consumer stays")
T.iso(fn ->
  {:ok, p} = GenStage.from_enumerable(1..3)
  {:ok, c} = Sink.start([])
  GenStage.sync_subscribe(c, to: p, cancel: :transient); T.settle()
  T.log("producer #{Process.alive?(p)} consumer #{Process.alive?(c)}")
end)
T.section("from_enumerable on_cancel: :stop")
T.iso(fn ->
  {:ok, p} = GenStage.from_enumerable(Stream.cycle([1]), on_cancel: :stop, demand: :accumulate)
  {:ok, c} = Sink.start(mode: :manual); GenStage.sync_subscribe(c, to: p, cancel: :temporary); T.settle(10)
  GenStage.stop(c); T.settle(20); T.log("producer #{Process.alive?(p)}")
  {:ok, q} = GenStage.from_enumerable(Stream.cycle([1]))
  {:ok, c} = Sink.start(mode: :manual); GenStage.sync_subscribe(c, to: q); T.settle(10)
  GenStage.stop(c); T.settle(20); T.log("without on_cancel: producer #{Process.alive?(q)}")
end)
T.section("stream: take 5 from an endless producer, subscription is cancelled afterwards")
T.iso(fn ->
  {:ok, p} = Count.start_link([])
  T.log("took #{T.i(GenStage.stream([{p, max_demand: 4, min_demand: 2}]) |> Enum.take(5))}"); T.settle(20)
  T.log("producer alive #{Process.alive?(p)}")
end)
T.section("stream: producer ends; permanent exits the caller, transient just ends the stream")
T.iso(fn ->
  {:ok, p} = GenStage.from_enumerable(1..3, demand: :accumulate)
  T.log("transient #{T.i(GenStage.stream([{p, cancel: :transient}]) |> Enum.to_list())}")
  {:ok, p} = GenStage.from_enumerable(1..3, demand: :accumulate)
  r = try do GenStage.stream([{p, cancel: :permanent}]) |> Enum.to_list() catch :exit, {x, _} -> {:exit, x} end
  T.log("permanent #{T.i(r)}")
end)
T.section("consumer returning events is a logged no-op")
T.iso(fn ->
  defmodule Bad do
    use GenStage
    def init(_), do: {:consumer, nil}
    def handle_call(:x, _, s), do: {:reply, :ok, [1], s}
    def handle_events(_, _, s), do: {:noreply, [9], s}
  end
  {:ok, c} = GenStage.start(Bad, nil); T.log("reply #{inspect(GenStage.call(c, :x))} alive #{Process.alive?(c)}")
end)
T.flush()
