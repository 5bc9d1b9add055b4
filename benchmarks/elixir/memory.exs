defmodule MemoryBench do
  @processes 20_000

  def process(effort) do
    count = Effort.number(effort, @processes)
    before = held()
    pids = Bench.idle(count)
    Process.sleep(50)
    kilobytes = (held() - before) / count / 1000
    Bench.stop(pids)
    %{"" => kilobytes}
  end

  def server(effort) do
    servers(effort, fn -> GenServer.start(Echo, 0) end)
  end

  def child(effort) do
    {:ok, supervisor} = DynamicSupervisor.start_link(strategy: :one_for_one)
    spec = %{id: Echo, start: {GenServer, :start_link, [Echo, 0]}, restart: :temporary}
    servers(effort, fn -> DynamicSupervisor.start_child(supervisor, spec) end)
  end

  defp servers(effort, start) do
    count = Effort.number(effort, @processes)
    before = held()
    pids = for _ <- 1..count, do: elem(start.(), 1)
    fresh = (held() - before) / count / 1000
    Enum.each(pids, &GenServer.call(&1, :ping))
    used = (held() - before) / count / 1000
    Bench.stop(pids)
    %{"fresh" => fresh, "after its first message" => used}
  end

  defp held do
    :erlang.garbage_collect()
    :erlang.memory(:total)
  end
end
