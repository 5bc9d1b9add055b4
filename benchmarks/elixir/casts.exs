defmodule CastsBench do
  @batch 1000

  def cast(effort) do
    {:ok, server} = GenServer.start_link(Echo, 0)

    Bench.per_operation(
      effort,
      fn count ->
        Bench.times(count, fn -> GenServer.cast(server, :add) end)
        GenServer.call(server, :ping)
      end,
      @batch
    )
  end

  def ping_pong(effort) do
    partner = spawn_link(fn -> pong() end)
    Bench.per_operation(effort, fn count -> round_trips(partner, count) end)
  end

  def send(effort) do
    taker = spawn_link(fn -> take() end)

    Bench.per_operation(
      effort,
      fn count ->
        Bench.times(count, fn -> Kernel.send(taker, 1) end)
        Kernel.send(taker, self())

        receive do
          :ok -> :ok
        end
      end,
      @batch
    )
  end

  defp round_trips(_partner, 0), do: :ok

  defp round_trips(partner, count) do
    Kernel.send(partner, self())

    receive do
      :ok -> round_trips(partner, count - 1)
    end
  end

  defp pong do
    receive do
      sender ->
        Kernel.send(sender, :ok)
        pong()
    end
  end

  defp take do
    receive do
      sender when is_pid(sender) -> Kernel.send(sender, :ok)
      _ -> :ok
    end

    take()
  end
end
