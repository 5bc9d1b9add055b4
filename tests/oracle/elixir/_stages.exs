# Shared helpers of the stages' scripts: a collector that prints one event per line, in order of arrival, without pids.
# GenStage is not part of Elixir: it is found by ERL_LIBS, or else installed by Mix.
unless Code.ensure_loaded?(GenStage) do
  try do
    Mix.install([{:gen_stage, "1.3.2"}])
  rescue
    _ in Mix.Error -> (IO.puts(:stderr, "there is no GenStage: `mix local.hex` lets it be installed"); System.halt(3))
  end
end

defmodule T do
  def start do
    Logger.configure(level: :none)
    :logger.set_primary_config(:level, :none)
    parent = self()
    pid = spawn(fn -> loop(parent, true) end)
    Process.register(pid, :trace)
  end

  defp loop(parent, on) do
    receive do
      {:log, line} -> (if on, do: IO.puts(line)); loop(parent, on)
      {:mute, m} -> loop(parent, not m)
      {:flush, from} -> send(from, :flushed); loop(parent, on)
    end
  end

  # end of a section: kill everything linked to the section process, silently
  defp reap do
    flush(); send(:trace, {:mute, true})
    {:links, l} = Process.info(self(), :links)
    for p <- l, is_pid(p), do: (Process.unlink(p); Process.exit(p, :kill))
    Process.sleep(25); flush(); send(:trace, {:mute, false})
  end

  def log(line), do: (if Process.whereis(:trace), do: send(:trace, {:log, line}))
  def flush do
    send(:trace, {:flush, self()})
    receive do :flushed -> :ok end
  end
  def section(name), do: (flush(); log("## " <> name))
  def settle(ms \\ 60), do: (Process.sleep(ms); flush())
  def i(x), do: inspect(x, charlists: :as_lists, limit: :infinity)
  # exit reasons without stack traces and pids
  def r({k, reason}) when k in [:cancel, :down], do: "{#{inspect(k)}, #{r(reason)}}"
  def r({%{__exception__: true} = e, st}) when is_list(st), do: r(e)
  def r(%{__exception__: true} = e), do: "#{inspect(e.__struct__)}: " <> String.replace(String.slice(Exception.message(e), 0, 60), ~r/#PID<[^>]*>/, "PID")
  def r(x), do: inspect(x)
  def recv(fun, ms) do
    receive do m -> (if fun.(m), do: m, else: recv(fun, ms)) after ms -> nil end
  end

  # Runs fun in a fresh unlinked process that traps exits, so crashes stay inside the section.
  def iso(fun) do
    me = self()
    {pid, ref} = spawn_monitor(fn -> Process.flag(:trap_exit, true); fun.(); reap(); send(me, :done) end)
    receive do
      {:DOWN, ^ref, _, ^pid, :normal} -> :ok
      {:DOWN, ^ref, _, ^pid, r} -> log("iso crashed " <> inspect(r))
    end
    receive do :done -> :ok after 0 -> :ok end
  end
end

defmodule Count do
  # producer: counts up; emits exactly what is asked, up to :total events
  use GenStage
  def start_link(o), do: GenStage.start_link(__MODULE__, o)
  def init(o) do
    {:producer, %{n: 0, total: o[:total] || :infinity, name: o[:name] || "P", quiet: o[:quiet] || false},
     Keyword.take(o, [:dispatcher, :demand, :buffer_size, :buffer_keep])}
  end
  def handle_demand(d, s) do
    unless s.quiet, do: T.log("#{s.name} handle_demand #{d}")
    m = if s.total == :infinity, do: d, else: min(d, s.total - s.n)
    ev = if m > 0, do: Enum.to_list(s.n..(s.n + m - 1)), else: []
    {:noreply, ev, %{s | n: s.n + m}}
  end
  def handle_cancel(r, _f, s), do: (T.log("#{s.name} handle_cancel #{T.r(r)}"); {:noreply, [], s})
end

defmodule Push do
  # producer that ignores demand; events are pushed in from outside
  use GenStage
  def start_link(o), do: GenStage.start_link(__MODULE__, o)
  def push(p, ev), do: GenStage.call(p, {:push, ev})
  def init(o), do: {:producer, %{name: o[:name] || "P"}, Keyword.take(o, [:dispatcher, :demand, :buffer_size, :buffer_keep])}
  def handle_demand(d, s), do: (T.log("#{s.name} handle_demand #{d}"); {:noreply, [], s})
  def handle_call({:push, ev}, _, s), do: {:reply, :ok, ev, s}
  def handle_info(m, s), do: (T.log("#{s.name} handle_info #{inspect(m)}"); {:noreply, [], s})
  def handle_cancel(r, _f, s), do: (T.log("#{s.name} handle_cancel #{T.r(r)}"); {:noreply, [], s})
end

defmodule Sink do
  # consumer; o[:delay] ms per batch; o[:mode] :automatic | :manual ; o[:limit] batches then block
  use GenStage
  def start_link(o), do: GenStage.start_link(__MODULE__, o)
  def start(o), do: GenStage.start(__MODULE__, o)
  def init(o), do: {:consumer, %{name: o[:name] || "C", delay: o[:delay] || 0, mode: o[:mode] || :automatic, stop_after: o[:stop_after], seen: 0, from: nil, block_at: o[:block_at]}, Keyword.take(o, [:subscribe_to])}
  def handle_subscribe(:producer, _o, from, s), do: {s.mode, %{s | from: from}}
  def handle_events(ev, _f, s) do
    T.log("#{s.name} handle_events #{T.i(ev)}")
    if s.delay > 0, do: Process.sleep(s.delay)
    seen = s.seen + length(ev)
    if s.block_at && seen >= s.block_at, do: Process.sleep(:infinity)
    {:noreply, [], %{s | seen: seen}}
  end
  def handle_call({:ask, n}, _, s), do: (r = GenStage.ask(s.from, n); {:reply, r, [], s})
  def handle_call(:sync, _, s), do: {:reply, :ok, [], s}
  def handle_cancel(r, _f, s), do: (T.log("#{s.name} handle_cancel #{T.r(r)}"); {:noreply, [], s})
  def handle_info(m, s), do: (T.log("#{s.name} handle_info #{inspect(m)}"); {:noreply, [], s})
  def terminate(r, s), do: T.log("#{s.name} terminate #{T.r(r)}")
end
T.start()
