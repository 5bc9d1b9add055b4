# Reads "SUBJECT FIGURE SECONDS SHARE" from the input, a line each, and prints the rows and "done".
# One figure from the shell: echo "calls call 0.1 1.0" | elixir _serve.exs
Code.require_file("_bench.exs", __DIR__)

defmodule Serve do
  def serve do
    case IO.gets("") do
      line when is_binary(line) ->
        [subject, figure, seconds, share] = String.split(line)
        effort = %Effort{seconds: String.to_float(seconds), share: String.to_float(share)}
        Enum.each(measure(subject, figure, effort), fn {row, value} -> IO.puts("#{value} #{row}") end)
        IO.puts("done")
        serve()

      _ ->
        :ok
    end
  end

  # In a process of its own, with a heap of its own.
  defp measure(subject, figure, effort) do
    Code.require_file("#{subject}.exs", __DIR__)
    module = Module.concat([Macro.camelize(subject) <> "Bench"])
    function = String.to_atom(String.replace(figure, "-", "_"))
    me = self()

    # Its abnormal end takes with it what it has linked.
    {_, monitor} =
      spawn_monitor(fn ->
        send(me, {:measured, apply(module, function, [effort])})
        exit(:shutdown)
      end)

    receive do
      {:measured, values} ->
        Process.demonitor(monitor, [:flush])
        values

      {:DOWN, ^monitor, :process, _, reason} ->
        IO.puts(:stderr, "#{figure}: #{Exception.format_exit(reason)}")
        System.halt(1)
    end
  end
end

Serve.serve()
