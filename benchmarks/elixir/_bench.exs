# What every program here has at hand. Nothing is measured at the top of a script, which is interpreted.
Logger.configure(level: :none)

defmodule Effort do
  # As benchmarks/effort.py: seconds for each measurement, a share of the full numbers.
  defstruct seconds: 0.05, share: 1.0

  def number(effort, full), do: max(2, round(full * effort.share))
end

defmodule Bench do
  @lap 0.001

  # Microseconds for one of what fun.(count) does count times.
  def per_operation(effort, fun, exactly \\ nil) do
    laps(effort, fn count -> %{"" => timed(fn -> fun.(count) end)} end, exactly)
  end

  # fun.(count) says how many seconds count took, by row. The median of many short laps.
  def laps(effort, fun, exactly \\ nil) do
    count = if exactly, do: Effort.number(effort, exactly), else: 1
    took = total(fun.(count))
    count = warm_up(effort, fun, exactly, count, took, took)
    :erlang.garbage_collect()
    taken = taken(effort, fun, count, 0.0, [])
    rows = Map.keys(hd(taken))
    Map.new(rows, fn row -> {row, median(Enum.map(taken, & &1[row])) / count * 1.0e6} end)
  end

  defp warm_up(effort, fun, exactly, count, took, spent) do
    if spent < effort.seconds / 4 do
      count = if exactly, do: count, else: repetitions(count, took, @lap)
      took = total(fun.(count))
      warm_up(effort, fun, exactly, count, took, spent + took)
    else
      count
    end
  end

  defp taken(effort, fun, count, spent, taken) do
    if spent < effort.seconds do
      lap = fun.(count)
      taken(effort, fun, count, spent + total(lap), [lap | taken])
    else
      taken
    end
  end

  defp repetitions(count, took, _wanted) when took <= 0, do: count * 10
  defp repetitions(count, took, wanted), do: max(1, min(count * 10, round(count * wanted / took)))

  defp total(laps), do: laps |> Map.values() |> Enum.sum()

  defp median(values) do
    ordered = Enum.sort(values)
    Enum.at(ordered, div(length(ordered), 2))
  end

  def timed(fun) do
    began = System.monotonic_time(:nanosecond)
    fun.()
    (System.monotonic_time(:nanosecond) - began) / 1.0e9
  end

  @quantiles [
    {"p10", 0.1}, {"p25", 0.25}, {"p50", 0.5}, {"p75", 0.75}, {"p90", 0.9},
    {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}, {"max", 1.0}
  ]

  def distribution(values) do
    ordered = values |> Enum.sort() |> List.to_tuple()
    size = tuple_size(ordered)
    Map.new(@quantiles, fn {name, share} -> {name, elem(ordered, max(ceil(share * size), 1) - 1)} end)
  end

  # So many idle processes beside what is measured; stop(pids) when they are no longer needed.
  def idle(count), do: for(_ <- 1..count//1, do: spawn(fn -> wait() end))
  def stop(pids), do: Enum.each(pids, &Process.exit(&1, :kill))

  defp wait do
    receive do
      :never -> :ok
    end
  end

  # n times, without a list.
  def times(0, _fun), do: :ok

  def times(n, fun) do
    fun.()
    times(n - 1, fun)
  end
end

defmodule Echo do
  # The server that is called.
  use GenServer
  def init(state), do: {:ok, state}
  def handle_call(request, _from, state), do: {:reply, request, state}
  def handle_cast(_message, state), do: {:noreply, state}
  def handle_info(_message, state), do: {:noreply, state}
end
