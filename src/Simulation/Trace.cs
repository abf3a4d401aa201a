using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orderwright.Simulation;

/// <summary>A line of a run's story. <paramref name="Order"/> null: it concerns all.</summary>
public sealed record TraceLine(DateTimeOffset At, Guid? Order, string Text);

/// <summary>
/// What happens in a run: always as a number, by which two runs are compared; and as lines for people, where somebody
/// wants them.
/// </summary>
public sealed class Trace(Pump pump, bool isOn)
{
    readonly List<TraceLine> lines = [];

    public bool IsOn => isOn;

    /// <summary>The same for two runs in which the same happened.</summary>
    public ulong Hash { get; private set; } = 14_695_981_039_346_656_037;

    public IReadOnlyList<TraceLine> Lines => lines;

    /// <summary>What the services log, where lines are wanted.</summary>
    public ILoggerFactory Logs => isOn ? new LogsAsLines(this) : NullLoggerFactory.Instance;

    // FNV-1a, a whole number at a time.
    public void Mix(long value) => Hash = (Hash ^ (ulong)value) * 1_099_511_628_211;

    public void Mix(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes) Mix(value);
    }

    public void Tell(Guid? order, [InterpolatedStringHandlerArgument("")] ref Line text)
    {
        Mix(pump.Now.UtcTicks);
        Mix(order?.GetHashCode() ?? 0);
        if (isOn) lines.Add(new TraceLine(pump.Now, order, text.ToString()));
    }

    /// <summary>Text that is only put together where somebody wants it.</summary>
    [InterpolatedStringHandler]
    public readonly struct Line
    {
        readonly StringBuilder? text;

        public Line(int literalLength, int formattedCount, Trace trace, out bool isWanted)
        {
            isWanted = trace.IsOn;
            if (isWanted) text = new StringBuilder(literalLength + formattedCount * 16);
        }

        public void AppendLiteral(string literal) => text!.Append(literal);

        public void AppendFormatted<T>(T value) => text!.Append(CultureInfo.InvariantCulture, $"{value}");

        public void AppendFormatted<T>(T value, string format) where T : IFormattable =>
            text!.Append(value.ToString(format, CultureInfo.InvariantCulture));

        public override string ToString() => text?.ToString() ?? "";
    }

    sealed class LogsAsLines(Trace trace) : ILoggerFactory, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void AddProvider(ILoggerProvider provider)
        {
        }

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            var what = exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})";
            trace.lines.Add(new TraceLine(trace.Now, null, $"log: {formatter(state, exception)}{what}"));
        }
    }

    DateTimeOffset Now => pump.Now;
}
