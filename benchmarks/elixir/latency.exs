defmodule LatencyBench do
  @busy 1000
  @period 50
  @seconds 1.0

  defmodule Busy do
    use GenServer

    def init({delay, period}) do
      Process.send_after(self(), :tick, delay)
      {:ok, period}
    end

    def handle_info(:tick, period) do
      Enum.sum(0..49)
      Process.send_after(self(), :tick, period)
      {:noreply, period}
    end
  end

  def latency(effort) do
    busy = Effort.number(effort, @busy)
    {:ok, server} = GenServer.start_link(Echo, 0)

    for number <- 0..(busy - 1) do
      {:ok, _} = GenServer.start_link(Busy, {round(@period * number / busy), @period})
    end

    began = now()
    from = began + @period * 1_000_000
    until = from + round(max(@seconds * effort.share, 0.02) * 1.0e9)
    Bench.distribution(latencies(server, began, from, until, []))
  end

  defp latencies(_server, before, _from, until, taken) when before >= until, do: taken

  defp latencies(server, before, from, until, taken) do
    GenServer.call(server, :ping)
    now = now()
    taken = if now > from or taken == [], do: [(now - before) / 1000 | taken], else: taken
    latencies(server, now, from, until, taken)
  end

  defp now, do: System.monotonic_time(:nanosecond)
end
