# Producer -> consumer, finite source, exact producer: which demand signals and batches appear.
Code.require_file("_stages.exs", __DIR__)
for {max, min, total} <- [{10, 5, 23}, {10, 8, 23}, {10, 2, 23}, {10, 0, 23}, {1, 0, 3}, {4, 3, 6}, {3, nil, 7}] do
  T.section("exact producer, total=#{total}, max_demand=#{max}, min_demand=#{inspect(min)}")
  T.iso(fn ->
    {:ok, p} = Count.start_link(total: total)
    {:ok, c} = Sink.start_link([])
    opts = [to: p, max_demand: max] ++ if(min, do: [min_demand: min], else: [])
    {:ok, _} = GenStage.sync_subscribe(c, opts)
    T.settle()
  end)
end
T.section("trickle: one event pushed at a time, max_demand=4, min_demand=2")
T.iso(fn ->
  {:ok, p} = Push.start_link([])
  {:ok, c} = Sink.start_link([])
  {:ok, _} = GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 2)
  for e <- 1..6, do: (Push.push(p, [e]); T.settle(20))
end)
T.section("over-producing: demand 4 outstanding, 11 events emitted in one go, max_demand=4, min_demand=2")
T.iso(fn ->
  {:ok, p} = Push.start_link([])
  {:ok, c} = Sink.start_link([])
  {:ok, _} = GenStage.sync_subscribe(c, to: p, max_demand: 4, min_demand: 2)
  T.settle(20)
  Push.push(p, Enum.to_list(1..11))
  T.settle()
  T.log("buffered #{GenStage.estimate_buffered_count(p)}")
end)
T.section("two producers, one consumer: each subscription has its own demand")
T.iso(fn ->
  {:ok, p1} = Count.start_link(total: 4, name: "P1")
  {:ok, p2} = Count.start_link(total: 4, name: "P2")
  {:ok, c} = Sink.start_link([])
  {:ok, _} = GenStage.sync_subscribe(c, to: p1, max_demand: 2, min_demand: 1)
  T.settle(20)
  {:ok, _} = GenStage.sync_subscribe(c, to: p2, max_demand: 3, min_demand: 0)
  T.settle()
end)
T.section("invalid options")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 4)
  {:ok, c} = Sink.start_link([])
  for o <- [[max_demand: 0], [min_demand: 1000], [max_demand: 5, min_demand: 5], [cancel: :unknown], [max_demand: 5, min_demand: -1]] do
    T.log("#{inspect(o)} -> #{inspect(GenStage.sync_subscribe(c, [to: p] ++ o))}")
  end
  T.log("producer as subscriber -> #{inspect(GenStage.sync_subscribe(p, to: c))}")
  T.settle(20)
end)
T.flush()
