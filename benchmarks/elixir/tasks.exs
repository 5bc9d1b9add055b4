defmodule TasksBench do
  def task(effort) do
    Bench.per_operation(effort, fn count ->
      Bench.times(count, fn -> Task.await(Task.async(fn -> 42 end)) end)
    end)
  end

  def task_supervised(effort) do
    {:ok, supervisor} = Task.Supervisor.start_link()

    Bench.per_operation(effort, fn count ->
      Bench.times(count, fn -> Task.await(Task.Supervisor.async(supervisor, fn -> 42 end)) end)
    end)
  end
end
