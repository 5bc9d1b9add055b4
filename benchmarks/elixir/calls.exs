defmodule CallsBench do
  def call(effort) do
    {:ok, server} = GenServer.start_link(Echo, 0)
    Bench.per_operation(effort, fn count -> calls(server, count) end)
  end

  def clients(effort) do
    {:ok, server} = GenServer.start_link(Echo, 0)
    each = Effort.number(effort, 200)

    values =
      Bench.per_operation(effort, fn count ->
        Bench.times(count, fn -> crowd(server, 100, each) end)
      end)

    Map.new(values, fn {row, value} -> {row, value / (100 * each)} end)
  end

  defp crowd(server, clients, each) do
    monitors = for _ <- 1..clients, do: elem(spawn_monitor(fn -> calls(server, each) end), 1)

    for monitor <- monitors do
      receive do
        {:DOWN, ^monitor, _, _, _} -> :ok
      end
    end
  end

  defp calls(_server, 0), do: :ok

  defp calls(server, count) do
    GenServer.call(server, :ping)
    calls(server, count - 1)
  end
end
