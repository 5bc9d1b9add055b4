defmodule StopsBench do
  @children 20_000

  def stop_many(effort) do
    children = Effort.number(effort, @children)
    {:ok, supervisor} = DynamicSupervisor.start_link(strategy: :one_for_one)
    spec = %{id: Echo, start: {GenServer, :start_link, [Echo, 0]}}
    for _ <- 1..children, do: {:ok, _} = DynamicSupervisor.start_child(supervisor, spec)
    :erlang.garbage_collect()
    seconds = Bench.timed(fn -> DynamicSupervisor.stop(supervisor) end)
    %{"" => seconds / children * 1.0e6}
  end
end
