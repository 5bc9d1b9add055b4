defmodule StreamsBench do
  def stream_1(effort), do: stream(effort, 1)
  def stream_10(effort), do: stream(effort, 10)
  def stream_100(effort), do: stream(effort, 100)

  defp stream(effort, concurrency) do
    Bench.per_operation(
      effort,
      fn count ->
        1..count
        |> Task.async_stream(fn item -> item end, max_concurrency: concurrency)
        |> Enum.reduce(0, fn {:ok, item}, total -> total + item end)
      end,
      500
    )
  end
end
