using System.Globalization;
using Orderwright.Runtime;

namespace Orderwright.SandboxGateway;

/// <summary>Injected faults, set at the start by arguments and later by <c>PUT /v1/behaviour</c>.</summary>
/// <param name="Latency">Delay of each request in milliseconds: <c>200</c>, or <c>200±150</c>.</param>
/// <param name="Timeouts">Share of requests without a response, half of them executed: <c>2%</c>.</param>
/// <param name="Errors">Share of requests answered with 503 and not executed.</param>
/// <param name="Declines">Share of authorizations declined.</param>
public sealed record BehaviourSettings(
    string Latency = "0", string Timeouts = "0%", string Errors = "0%", string Declines = "0%");

/// <summary>Faults injected into a single request.</summary>
public readonly record struct InjectedFault(TimeSpan Latency, bool LostBefore, bool LostAfter, bool Error, bool Decline);

/// <summary>Source of injected faults, reproducible by seed.</summary>
public sealed class Behaviour(int seed)
{
    sealed record Parsed(
        BehaviourSettings Settings, int LatencyMs, int SpreadMs, double Timeouts, double Errors, double Declines);

    readonly Random dice = new(seed);
    volatile Parsed current = Parse(new BehaviourSettings());

    public BehaviourSettings Settings => current.Settings;

    /// <summary>Replaces the settings. Throws <see cref="FormatException"/> with an explanation for an invalid value.</summary>
    public void Apply(BehaviourSettings settings) => current = Parse(settings);

    public InjectedFault Next()
    {
        var parsed = current;
        lock (dice)
        {
            var latency = parsed.LatencyMs + parsed.SpreadMs * (2 * dice.NextDouble() - 1);
            var lost = dice.NextDouble() < parsed.Timeouts;
            var before = dice.Next(2) == 0;
            return new(
                TimeSpan.FromMilliseconds(Math.Max(0, latency)), lost && before, lost && !before,
                dice.NextDouble() < parsed.Errors, dice.NextDouble() < parsed.Declines);
        }
    }

    static Parsed Parse(BehaviourSettings settings)
    {
        var parts = settings.Latency.Split('±');
        if (parts.Length > 2 || !IsWhole(parts[0], out var latency)
            || !IsWhole(parts.ElementAtOrDefault(1) ?? "0", out var spread))
            throw new FormatException(
                $"The latency \"{settings.Latency}\" is invalid. Allowed: 200 or 200±150, in milliseconds.");
        return new(
            settings, latency, spread, Share("timeouts", settings.Timeouts), Share("errors", settings.Errors),
            Share("declines", settings.Declines));
    }

    static bool IsWhole(string text, out int milliseconds) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out milliseconds) && milliseconds <= 600_000;

    static double Share(string name, string text) =>
        text.EndsWith('%')
        && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
        && percent is >= 0 and <= 100
            ? percent / 100
            : throw new FormatException($"The share of {name} \"{text}\" is invalid. Allowed: 0% to 100%.");
}

/// <summary>Settings of the gateway process: <c>--latency 200±150 --timeouts 2% --errors 2% --declines 3%</c>.</summary>
public sealed class GatewaySettings
{
    /// <summary>Delay of each request in milliseconds, such as <c>200±150</c>. Default 0.</summary>
    public string Latency { get; set; } = "0";

    /// <summary>Share of requests without a response, half of them executed. Default 0%.</summary>
    public string Timeouts { get; set; } = "0%";

    /// <summary>Share of requests answered with 503 and not executed. Default 0%.</summary>
    public string Errors { get; set; } = "0%";

    /// <summary>Share of authorizations declined. Default 0%.</summary>
    public string Declines { get; set; } = "0%";

    /// <summary>Seed of the injected faults. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>
    /// Secret that signs requests and webhooks. Default: a random secret, stored in the data directory as <c>gateway.secret</c>.
    /// </summary>
    public string GatewaySecret { get; set; } = "";

    /// <summary>
    /// Address that receives webhooks, such as <c>http://127.0.0.1:4002/api/v1/webhooks/http</c>. Default none: no webhooks.
    /// </summary>
    public string Webhook { get; set; } = "";

    public Behaviour Behaviour()
    {
        try
        {
            var behaviour = new Behaviour(Seed);
            behaviour.Apply(new(Latency, Timeouts, Errors, Declines));
            return behaviour;
        }
        catch (FormatException error)
        {
            throw new InvalidSettingException(error.Message);
        }
    }
}
