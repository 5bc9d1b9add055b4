defmodule LimiterBench do
  defmodule Limiter do
    # One permit; whoever holds it is monitored, who must wait is answered in turn.
    use GenServer

    def init(_), do: {:ok, {nil, :queue.new()}}

    def handle_call(:acquire, from, {nil, waiting}), do: {:reply, :ok, {hold(from), waiting}}
    def handle_call(:acquire, from, {held, waiting}), do: {:noreply, {held, :queue.in(from, waiting)}}

    def handle_cast(:release, {monitor, waiting}) do
      Process.demonitor(monitor, [:flush])
      {:noreply, next(waiting)}
    end

    def handle_info({:DOWN, monitor, _, _, _}, {monitor, waiting}), do: {:noreply, next(waiting)}

    defp next(waiting) do
      case :queue.out(waiting) do
        {{:value, from}, waiting} ->
          GenServer.reply(from, :ok)
          {hold(from), waiting}

        {:empty, waiting} ->
          {nil, waiting}
      end
    end

    defp hold({pid, _}), do: Process.monitor(pid)
  end

  def free(effort) do
    {:ok, limiter} = GenServer.start_link(Limiter, nil)

    Bench.per_operation(effort, fn count ->
      Bench.times(count, fn ->
        GenServer.call(limiter, :acquire, :infinity)
        GenServer.cast(limiter, :release)
      end)
    end)
  end

  def contended(effort) do
    {:ok, limiter} = GenServer.start_link(Limiter, nil)

    Bench.per_operation(effort, fn count ->
      clients = for client <- 0..9, do: client(limiter, div(count + client, 10))

      for monitor <- clients do
        receive do
          {:DOWN, ^monitor, _, _, _} -> :ok
        end
      end
    end)
  end

  defp client(limiter, times) do
    {_, monitor} =
      spawn_monitor(fn ->
        Bench.times(times, fn ->
          GenServer.call(limiter, :acquire, :infinity)
          :erlang.yield()
          GenServer.cast(limiter, :release)
        end)
      end)

    monitor
  end
end
