defmodule ScaleBench do
  @sizes [{100, "100"}, {1000, "1,000"}, {10_000, "10,000"}, {100_000, "100,000"}]
  @day 86_400_000

  def scale(effort) do
    {:ok, server} = GenServer.start_link(Echo, 0)
    {:ok, supervisor} = DynamicSupervisor.start_link(strategy: :one_for_one)
    {:ok, _} = Registry.start_link(keys: :unique, name: :scale_names)
    {:ok, _} = Registry.register(:scale_names, "name", nil)
    spec = %{id: Echo, start: {GenServer, :start_link, [Echo, 0]}}

    operations = [
      {"call", fn count -> calls(server, count) end},
      {"cast",
       fn count ->
         Bench.times(count, fn -> GenServer.cast(server, :add) end)
         GenServer.call(server, :ping)
       end},
      {"start and stop", fn count -> Bench.times(count, fn -> child(supervisor, spec) end) end},
      {"lookup",
       fn count -> Bench.times(count, fn -> Registry.lookup(:scale_names, "name") end) end}
    ]

    {idle, values} = Enum.reduce(@sizes, {[], %{}}, &beside(effort, operations, &1, &2))
    values = Enum.reduce(@sizes, values, &beside_timers(effort, server, idle, &1, &2))
    Bench.stop(idle)

    growth =
      for operation <- Enum.map(operations, &elem(&1, 0)) ++ ["call beside timers"], into: %{} do
        {"#{operation}, growth", values["#{operation}, 100,000"] / values["#{operation}, 100"]}
      end

    Map.merge(values, growth)
  end

  defp beside(effort, operations, {size, name}, {idle, values}) do
    more = Bench.idle(Effort.number(effort, size) - length(idle))

    measured =
      for {operation, fun} <- operations, into: %{} do
        {"#{operation}, #{name}", Bench.per_operation(effort, fun, 100)[""]}
      end

    {more ++ idle, Map.merge(values, measured)}
  end

  defp beside_timers(effort, server, idle, {size, name}, values) do
    idle
    |> Enum.take(Effort.number(effort, size))
    |> Enum.each(&Process.send_after(&1, :late, @day))

    value = Bench.per_operation(effort, fn count -> calls(server, count) end, 100)[""]
    Map.put(values, "call beside timers, #{name}", value)
  end

  defp child(supervisor, spec) do
    {:ok, child} = DynamicSupervisor.start_child(supervisor, spec)
    DynamicSupervisor.terminate_child(supervisor, child)
  end

  defp calls(_server, 0), do: :ok

  defp calls(server, count) do
    GenServer.call(server, :ping)
    calls(server, count - 1)
  end
end
