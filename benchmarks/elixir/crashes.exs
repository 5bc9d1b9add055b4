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

  # As a release logs by default, but to the null device: the handler writes to whoever is :user.
  # A lap ends when everything is written; the handler works in a process of its own.
  def crash_reported(effort) do
    user = Process.whereis(:user)
    {:ok, nowhere} = File.open("/dev/null", [:write, :utf8])
    become_user(nowhere)
    Logger.configure(level: :debug)

    values =
      Bench.per_operation(
        effort,
        fn count ->
          crashes(count)
          Logger.flush()
        end,
        50
      )

    Logger.configure(level: :none)
    Logger.flush()
    become_user(user)
    File.close(nowhere)
    values
  end

  defp become_user(device) do
    Process.unregister(:user)
    Process.register(device, :user)
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
