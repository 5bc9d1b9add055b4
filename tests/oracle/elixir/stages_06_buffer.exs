# Producer-side buffer.
Code.require_file("_stages.exs", __DIR__)
defmodule Buf do
  use GenStage
  def start_link(o), do: GenStage.start_link(__MODULE__, o)
  def init(o), do: {:producer, %{log: o[:log]}, Keyword.take(o, [:buffer_size, :buffer_keep])}
  def handle_demand(d, s), do: (T.log("P handle_demand #{d}"); {:noreply, [], s})
  def handle_call({:push, ev}, _, s), do: {:reply, :ok, ev, s}
  def handle_info(m, s), do: (T.log("P handle_info #{inspect(m)}"); {:noreply, [], s})
  def format_discarded(n, s), do: (T.log("P format_discarded #{n}"); s.log || false)
end
push = fn p, ev -> GenStage.call(p, {:push, ev}) end
for keep <- [:last, :first] do
  T.section("buffer_size 5, keep #{keep}: push 1..5 then 6..8 with no consumer")
  T.iso(fn ->
    {:ok, p} = Buf.start_link(buffer_size: 5, buffer_keep: keep)
    push.(p, [1, 2, 3, 4, 5]); push.(p, [6, 7, 8])
    T.log("buffered #{GenStage.estimate_buffered_count(p)}")
    {:ok, c} = Sink.start_link([]); GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 0)
    T.settle()
  end)
end
T.section("one push larger than the buffer, keep last")
T.iso(fn ->
  {:ok, p} = Buf.start_link(buffer_size: 3)
  push.(p, [1, 2, 3, 4, 5, 6, 7])
  {:ok, c} = Sink.start_link([]); GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 0); T.settle()
end)
T.section("infinite buffer")
T.iso(fn ->
  {:ok, p} = Buf.start_link(buffer_size: :infinity)
  push.(p, Enum.to_list(1..20_000)); T.log("buffered #{GenStage.estimate_buffered_count(p)}")
end)
T.section("default producer buffer is 10_000, keep last")
T.iso(fn ->
  {:ok, p} = Buf.start_link([])
  push.(p, Enum.to_list(1..10_003)); T.log("buffered #{GenStage.estimate_buffered_count(p)}")
  {:ok, c} = Sink.start_link(mode: :manual); GenStage.sync_subscribe(c, to: p); T.settle(10)
  GenStage.call(c, {:ask, 2}); T.settle()
end)
T.section("buffered events satisfy demand first; handle_demand only sees the remainder")
T.iso(fn ->
  {:ok, p} = Buf.start_link([]); push.(p, [1, 2, 3])
  {:ok, c} = Sink.start_link(mode: :manual); GenStage.sync_subscribe(c, to: p); T.settle(10)
  T.log("ask 2"); GenStage.call(c, {:ask, 2}); T.settle(20)
  T.log("ask 4"); GenStage.call(c, {:ask, 4}); T.settle(20)
end)
T.section("info message queued behind buffered events; FIFO among infos")
T.iso(fn ->
  {:ok, p} = Buf.start_link([]); push.(p, [1, 2, 3, 4])
  GenStage.async_info(p, :first); GenStage.sync_info(p, :second)
  {:ok, c} = Sink.start_link(mode: :manual); GenStage.sync_subscribe(c, to: p); T.settle(10)
  T.log("ask 3"); GenStage.call(c, {:ask, 3}); T.settle(20)
  T.log("ask 1"); GenStage.call(c, {:ask, 1}); T.settle(20)
end)
T.section("info with empty buffer is immediate; info whose event is discarded is delivered at discard time")
T.iso(fn ->
  {:ok, p} = Buf.start_link(buffer_size: 2)
  GenStage.sync_info(p, :now); T.settle(10)
  push.(p, [1]); GenStage.sync_info(p, :after_1); T.settle(10)
  T.log("push 2, 3 (drops 1)"); push.(p, [2, 3]); T.settle(20)
end)
T.section("consumer crash: events already delivered to it are lost, later ones are kept for the next")
T.iso(fn ->
  {:ok, p} = Buf.start_link([])
  {:ok, c} = Sink.start(name: "C1", block_at: 1); GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 2)
  T.settle(20); push.(p, [1, 2, 3, 4]); T.settle(20)
  Process.exit(c, :kill); T.settle(20); push.(p, [5, 6]); T.settle(10)
  T.log("buffered #{GenStage.estimate_buffered_count(p)}")
  {:ok, d} = Sink.start_link(name: "C2"); GenStage.sync_subscribe(d, to: p, max_demand: 4, min_demand: 0); T.settle()
end)
T.section("reply order: events are dispatched before a {:reply, ...}; reply/2 lets the caller go first")
T.iso(fn ->
  {:ok, p} = Push.start_link([])
  {:ok, c} = Sink.start_link([]); GenStage.sync_subscribe(c, to: p); T.settle(20)
  :ok = Push.push(p, [1]); GenStage.call(c, :sync); T.log("caller has reply")
  T.settle(20)
end)
T.flush()
