defmodule RegistryBench do
  @subscribers 1000

  def lookup(effort) do
    {:ok, _} = Registry.start_link(keys: :unique, name: :names)
    me = self()

    for key <- 1..Effort.number(effort, @subscribers) do
      spawn(fn ->
        {:ok, _} = Registry.register(:names, key, nil)
        send(me, :up)
        wait()
      end)

      up()
    end

    values =
      Bench.per_operation(effort, fn count ->
        Bench.times(count, fn -> [{_, nil}] = Registry.lookup(:names, 1) end)
      end)

    Supervisor.stop(:names)
    values
  end

  def dispatch(effort) do
    {:ok, _} = Registry.start_link(keys: :duplicate, name: :topics)
    subscribers = Effort.number(effort, @subscribers)
    me = self()

    for _ <- 1..subscribers do
      spawn(fn ->
        {:ok, _} = Registry.register(:topics, "topic", nil)
        send(me, :up)
        subscribe(me)
      end)

      up()
    end

    values =
      Bench.per_operation(effort, fn count ->
        Bench.times(count, fn ->
          Registry.dispatch(:topics, "topic", fn entries ->
            for {pid, _} <- entries, do: send(pid, :news)
          end)

          Bench.times(subscribers, fn -> up() end)
        end)
      end)

    Supervisor.stop(:topics)
    Map.new(values, fn {row, value} -> {row, value / subscribers} end)
  end

  defp subscribe(me) do
    receive do
      :news -> send(me, :up)
    end

    subscribe(me)
  end

  defp up do
    receive do
      :up -> :ok
    end
  end

  defp wait do
    receive do
      :never -> :ok
    end
  end
end
