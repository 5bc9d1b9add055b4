defmodule CrashesBench do
  defmodule Fragile do
    use GenServer

    def init(up) do
      send(up, :up)
      {:ok, up}
    end

    def handle_cast(:boom, _up), do: raise(ArithmeticError, "boom")
  end

  def crash(effort) do
    Bench.per_operation(effort, fn count -> crashes(count) end, 50)
  end

  defp crashes(count) do
    child = %{id: 1, start: {GenServer, :start_link, [Fragile, self(), [name: :fragile]]}}

    {:ok, supervisor} =
      Supervisor.start_link([child], strategy: :one_for_one, max_restarts: 1_000_000, max_seconds: 1)

    up()

    Bench.times(count, fn ->
      GenServer.cast(:fragile, :boom)
      up()
    end)

    Supervisor.stop(supervisor)
  end

  defp up do
    receive do
      :up -> :ok
    end
  end
end
