defmodule StartsBench do
  @batch 100

  def spawn(effort) do
    me = self()

    Bench.per_operation(
      effort,
      fn count ->
        Bench.times(count, fn -> Kernel.spawn(fn -> send(me, :ended) end) end)
        Bench.times(count, fn -> ended() end)
      end,
      @batch
    )
  end

  def start(effort) do
    {:ok, supervisor} = DynamicSupervisor.start_link(strategy: :one_for_one)
    spec = Supervisor.child_spec({Echo, 0}, [])
    spec = %{spec | start: {GenServer, :start_link, [Echo, 0]}}

    Bench.laps(
      effort,
      fn count ->
        {children, start} = start_children(supervisor, spec, count)

        stop =
          Bench.timed(fn ->
            Enum.each(children, &DynamicSupervisor.terminate_child(supervisor, &1))
          end)

        %{"start" => start, "stop" => stop}
      end,
      @batch
    )
  end

  def start_tree(effort) do
    Bench.laps(
      effort,
      fn count ->
        children = for id <- 1..count, do: %{id: id, start: {GenServer, :start_link, [Echo, 0]}}
        began = System.monotonic_time(:nanosecond)
        {:ok, supervisor} = Supervisor.start_link(children, strategy: :one_for_one)
        start = (System.monotonic_time(:nanosecond) - began) / 1.0e9
        %{"start" => start, "stop" => Bench.timed(fn -> Supervisor.stop(supervisor) end)}
      end,
      @batch
    )
  end

  defp start_children(supervisor, spec, count) do
    began = System.monotonic_time(:nanosecond)

    children =
      for _ <- 1..count do
        {:ok, child} = DynamicSupervisor.start_child(supervisor, spec)
        child
      end

    {children, (System.monotonic_time(:nanosecond) - began) / 1.0e9}
  end

  defp ended do
    receive do
      :ended -> :ok
    end
  end
end
