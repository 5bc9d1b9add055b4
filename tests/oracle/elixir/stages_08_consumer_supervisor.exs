# ConsumerSupervisor: one child per event, demand returned as children finish.
Code.require_file("_stages.exs", __DIR__)
defmodule Job do
  def start_link(e, opts \\ []) do
    cond do
      opts[:fail] && opts[:fail].(e) == :error -> {:error, :nope}
      opts[:fail] && opts[:fail].(e) == :ignore -> :ignore
      opts[:fail] && opts[:fail].(e) == :raise -> raise "boom"
      true -> {:ok, spawn_link(fn -> Process.register(self(), :"job_#{e}"); T.log("start #{e}"); loop(e) end)}
    end
  end
  defp loop(e) do
    receive do
      {:stop, r} -> T.log("end #{e} #{inspect(r)}"); exit(r)
    end
  end
  def start_opts(opts, e), do: start_link(e, opts)
end
fin = fn e, r -> send(:"job_#{e}", {:stop, r}); T.settle(20) end
cs = fn restart, opts, jopts ->
  spec = %{id: :j, start: {Job, :start_opts, [jopts]}, restart: restart}
  ConsumerSupervisor.start_link([spec], [strategy: :one_for_one] ++ opts)
end
count = fn s -> T.log("count #{inspect(Map.take(ConsumerSupervisor.count_children(s), [:active, :workers]))}") end
T.section("max_demand 4 min_demand 2: first four start at once; demand returned once 2 have ended")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 9)
  {:ok, s} = cs.(:temporary, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 4, min_demand: 2); T.settle(20); count.(s)
  for e <- 0..3, do: fin.(e, :normal)
  count.(s)
  fin.(4, :normal); fin.(5, :normal); count.(s)
end)
T.section("max_demand 2 min_demand 0: each finished child is replaced immediately")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 4)
  {:ok, s} = cs.(:temporary, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 2, min_demand: 0); T.settle(20)
  for e <- 0..3, do: fin.(e, :normal)
end)
T.section("temporary child that crashes counts as finished")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 4)
  {:ok, s} = cs.(:temporary, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 1, min_demand: 0); T.settle(20)
  fin.(0, :boom); fin.(1, :normal); count.(s)
end)
T.section("transient child: abnormal exit restarts the same event and keeps its slot; normal exit frees it")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 4)
  {:ok, s} = cs.(:transient, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 1, min_demand: 0); T.settle(20)
  fin.(0, :boom); fin.(0, :boom); count.(s); fin.(0, :shutdown); fin.(1, :normal)
end)
T.section("transient child exceeding max_restarts 1 stops the supervisor with :shutdown")
T.iso(fn ->
  {:ok, p} = GenStage.start(Count, total: 4)
  {:ok, s} = cs.(:transient, [max_restarts: 1, max_seconds: 5], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 1, min_demand: 0); T.settle(20)
  fin.(0, :boom); fin.(0, :boom); T.settle(20)
  m = T.recv(fn {:EXIT, pid, _} -> pid == s; _ -> false end, 200)
  T.log("supervisor exit #{inspect(elem(m, 2))}; producer alive #{Process.alive?(p)}")
end)
T.section("child that fails to start (error, ignore, raise) is dropped and its demand returned")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 6)
  f = fn 0 -> :error; 1 -> :ignore; 2 -> :raise; _ -> :ok end
  {:ok, s} = cs.(:transient, [], fail: f)
  GenStage.sync_subscribe(s, to: p, max_demand: 2, min_demand: 0); T.settle(); count.(s)
end)
T.section("restart: :permanent is refused at start")
T.iso(fn -> T.log(inspect(elem(cs.(:permanent, [], []), 0))) end)
T.section("producer goes away with cancel: :temporary; running children stay")
T.iso(fn ->
  {:ok, p} = GenStage.start(Count, total: 4)
  {:ok, s} = cs.(:temporary, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 2, min_demand: 0, cancel: :temporary); T.settle(20)
  GenStage.stop(p); T.settle(20); count.(s)
  fin.(0, :normal); count.(s)
end)
T.section("start_child by hand does not count against any producer's demand; terminate_child returns demand")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 4)
  {:ok, s} = cs.(:temporary, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 1, min_demand: 0); T.settle(20)
  {:ok, _} = ConsumerSupervisor.start_child(s, [:x]); T.settle(10); count.(s)
  T.log("terminate #{inspect(ConsumerSupervisor.terminate_child(s, Process.whereis(:job_0)))}"); T.settle(20)
  T.log("terminate again #{inspect(ConsumerSupervisor.terminate_child(s, spawn(fn -> :ok end)))}")
  count.(s)
end)
T.section("two producers: each has its own budget")
T.iso(fn ->
  {:ok, p} = Count.start_link(total: 2, name: "P1"); {:ok, q} = GenStage.start_link(Push, name: "P2")
  {:ok, s} = cs.(:temporary, [], [])
  GenStage.sync_subscribe(s, to: p, max_demand: 1, min_demand: 0); T.settle(20)
  GenStage.sync_subscribe(s, to: q, max_demand: 2, min_demand: 0); T.settle(20)
  Push.push(q, [:a, :b, :c]); T.settle(20); count.(s)
  fin.(0, :normal); count.(s)
end)
T.flush()
