defmodule FairnessBench do
  @every 10

  # A process stands for the task; there is nothing like the worker thread.
  def fairness(effort) do
    {:ok, server} = GenServer.start_link(Echo, 0)
    caller = spawn_link(fn -> call_forever(server) end)
    lasting = round(max(effort.share, 0.02) * 1.0e9)
    task = Task.async(fn -> late(now() + lasting, fn -> :ok end, []) end)
    client = Task.async(fn -> late(now() + lasting, fn -> GenServer.call(server, :ping) end, []) end)

    rows =
      for {who, task} <- [{"task", task}, {"client", client}],
          {quantile, value} <- Bench.distribution(Task.await(task, :infinity)),
          into: %{} do
        {"#{who}, #{quantile}", value}
      end

    Process.unlink(caller)
    Process.exit(caller, :kill)
    rows
  end

  # Its timers are due at whole milliseconds of its own clock.
  defp late(until, fun, taken) do
    if now() > until do
      taken
    else
      due = System.monotonic_time(:millisecond) + @every
      Process.send_after(self(), :due, due, abs: true)

      receive do
        :due -> fun.()
      end

      late(until, fun, [(now() - due * 1_000_000) / 1.0e6 | taken])
    end
  end

  defp call_forever(server) do
    GenServer.call(server, :ping)
    call_forever(server)
  end

  defp now, do: System.monotonic_time(:nanosecond)
end
