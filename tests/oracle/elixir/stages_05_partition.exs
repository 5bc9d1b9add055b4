# PartitionDispatcher
Code.require_file("_stages.exs", __DIR__)
alias GenStage.PartitionDispatcher, as: PD
sub = fn c, p, o -> r = GenStage.sync_subscribe(c, [to: p] ++ o); T.settle(15); r end
ask = fn c, n -> :ok = GenStage.call(c, {:ask, n}); T.settle(15) end
h2 = fn e -> {e, rem(e, 2)} end
T.section("routing by hash: order kept inside a partition")
T.iso(fn ->
  {:ok, p} = Push.start_link(dispatcher: {PD, partitions: 2, hash: h2})
  [a, b] = for n <- ~w(P0 P1), do: elem(Sink.start_link(name: n), 1)
  sub.(a, p, [partition: 0, max_demand: 4, min_demand: 2]); sub.(b, p, [partition: 1, max_demand: 4, min_demand: 2])
  Push.push(p, Enum.to_list(1..8)); T.settle()
end)
T.section("custom names, event rewritten by the hash function, :none drops")
T.iso(fn ->
  hash = fn e -> cond do rem(e, 3) == 0 -> :none; rem(e, 2) == 0 -> {{:even, e}, :even}; true -> {{:odd, e}, :odd} end end
  {:ok, p} = Push.start_link(dispatcher: {PD, partitions: [:even, :odd], hash: hash})
  [a, b] = for n <- ~w(EVEN ODD), do: elem(Sink.start_link(name: n), 1)
  sub.(a, p, [partition: :even]); sub.(b, p, [partition: :odd])
  Push.push(p, Enum.to_list(1..9)); T.settle()
end)
T.section("skew: demand is summed, so the hot partition queues past its own demand")
T.iso(fn ->
  {:ok, p} = Count.start_link(dispatcher: {PD, partitions: 2, hash: fn e -> {e, if(rem(e, 4) == 3, do: 1, else: 0)} end})
  {:ok, a} = Sink.start_link(name: "HOT", mode: :manual); {:ok, b} = Sink.start_link(name: "COLD", mode: :manual)
  sub.(a, p, [partition: 0]); sub.(b, p, [partition: 1])
  T.log("HOT asks 2"); ask.(a, 2)
  T.log("COLD asks 4"); ask.(b, 4)
  T.log("COLD asks 4"); ask.(b, 4)
  T.log("HOT asks 3"); ask.(a, 3)
  T.log("stage buffer #{GenStage.estimate_buffered_count(p)} (hot queue lives in the dispatcher, not counted)")
end)
T.section("events hashed to :none eat the producer's answer: consumer starves below its threshold")
T.iso(fn ->
  {:ok, p} = Count.start_link(dispatcher: {PD, partitions: 1, hash: fn e -> if rem(e, 2) == 0, do: {e, 0}, else: :none end}, total: 20)
  {:ok, a} = Sink.start_link(name: "A")
  sub.(a, p, [partition: 0, max_demand: 10, min_demand: 5])
  T.settle()
end)
T.section("subscribing while the partition has no consumer yet")
T.iso(fn ->
  {:ok, p} = Count.start_link(dispatcher: {PD, partitions: 2, hash: h2}, total: 8)
  {:ok, a} = Sink.start_link(name: "P0", mode: :manual)
  sub.(a, p, [partition: 0])
  T.log("P0 asks 4"); ask.(a, 4)
  {:ok, b} = Sink.start_link(name: "P1", mode: :manual)
  sub.(b, p, [partition: 1])
  T.log("P1 asks 2"); ask.(b, 2)
end)
T.section("consumer leaves with queued events: its queue is dropped and re-requested upstream")
T.iso(fn ->
  {:ok, p} = Count.start_link(dispatcher: {PD, partitions: 2, hash: h2})
  {:ok, a} = Sink.start_link(name: "P0", mode: :manual); {:ok, b} = Sink.start(name: "P1", mode: :manual)
  sub.(a, p, [partition: 0]); sub.(b, p, [partition: 1, cancel: :temporary])
  T.log("P0 asks 6"); ask.(a, 6)
  T.log("kill P1 (3 odd events queued for it)"); Process.exit(b, :kill); T.settle()
  {:ok, c} = Sink.start_link(name: "P1b", mode: :manual); sub.(c, p, [partition: 1])
  T.log("P1b asks 2"); ask.(c, 2)
end)
T.section("errors at subscription and hash")
for {label, o} <- [{"none", []}, {"unknown", [partition: 7]}, {"taken", [partition: 0]}] do
  T.iso(fn ->
    {:ok, p} = GenStage.start(Push, dispatcher: {PD, partitions: 2, hash: h2})
    {:ok, a} = Sink.start(name: "A")
    GenStage.sync_subscribe(a, to: p, partition: 0); T.settle(15)
    {:ok, b} = Sink.start(name: "B")
    GenStage.sync_subscribe(b, [to: p] ++ o); T.settle()
    T.log("#{label}: producer alive #{Process.alive?(p)}, B alive #{Process.alive?(b)}")
  end)
end
T.iso(fn ->
  {:ok, p} = GenStage.start(Push, dispatcher: {PD, partitions: 2, hash: fn e -> {e, 9} end})
  {:ok, a} = Sink.start(name: "A"); GenStage.sync_subscribe(a, to: p, partition: 0); T.settle(15)
  catch_exit = try do Push.push(p, [1]) catch :exit, _ -> :exited end
  T.settle(20)
  T.log("hash to unknown partition with demand: push -> #{inspect(catch_exit)}, producer alive #{Process.alive?(p)}")
end)
T.flush()
