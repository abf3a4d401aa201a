using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Orderwright.Simulation;

/// <summary>A line of a run's trace. <paramref name="Order"/> is null for lines that concern every order.</summary>
public sealed record TraceLine(DateTimeOffset At, Guid? Order, string Text);

/// <summary>Records a run: always as a hash, by which two runs are compared, and on demand as lines for people.</summary>
public sealed class Trace(Pump pump, bool isOn)
{
    readonly List<TraceLine> lines = [];

    public bool IsOn => isOn;

    /// <summary>Equal for two runs with the same course.</summary>
    public ulong Hash { get; private set; } = 14_695_981_039_346_656_037;

    public IReadOnlyList<TraceLine> Lines => lines;

    /// <summary>Receives the services' logs while lines are recorded.</summary>
    public ILoggerFactory Logs => isOn ? new LogsAsLines(this) : NullLoggerFactory.Instance;

    // FNV-1a over whole integers.
    public void Mix(long value) => Hash = (Hash ^ (ulong)value) * 1_099_511_628_211;

    public void Mix(ReadOnlySpan<byte> bytes)
    {
        foreach (var value in bytes) Mix(value);
    }

    public void Record(Guid? order, [InterpolatedStringHandlerArgument("")] ref Line text)
    {
        Mix(pump.Now.UtcTicks);
        Mix(order?.GetHashCode() ?? 0);
        if (isOn) lines.Add(new TraceLine(pump.Now, order, text.ToString()));
    }

    /// <summary>Text that is only formatted when lines are recorded.</summary>
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
