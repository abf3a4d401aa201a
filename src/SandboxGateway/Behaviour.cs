using System.Globalization;
using Orderwright.Runtime;

namespace Orderwright.SandboxGateway;

/// <summary>How badly the gateway behaves, as it is set: at the start by arguments, later by <c>PUT /v1/behaviour</c>.</summary>
/// <param name="Latency">Milliseconds before anything happens: <c>200</c>, or <c>200±150</c>.</param>
/// <param name="Timeouts">Requests that get no answer, half of them carried out: <c>2%</c>.</param>
/// <param name="Errors">Requests that are answered 503 and not carried out.</param>
/// <param name="Declines">Authorizations that are declined.</param>
public sealed record BehaviourBody(
    string Latency = "0", string Timeouts = "0%", string Errors = "0%", string Declines = "0%");

/// <summary>What one request meets.</summary>
public readonly record struct Whim(TimeSpan Latency, bool LostBefore, bool LostAfter, bool Error, bool Decline);

/// <summary>A gateway's bad days, from a seed.</summary>
public sealed class Behaviour(int seed)
{
    sealed record Set(BehaviourBody Said, int LatencyMs, int SpreadMs, double Timeouts, double Errors, double Declines);

    readonly Random dice = new(seed);
    volatile Set current = Read(new BehaviourBody());

    public BehaviourBody Said => current.Said;

    /// <summary>Throws <see cref="FormatException"/> with a sentence for what cannot be.</summary>
    public void Become(BehaviourBody said) => current = Read(said);

    public Whim Next()
    {
        var set = current;
        lock (dice)
        {
            var latency = set.LatencyMs + set.SpreadMs * (2 * dice.NextDouble() - 1);
            var lost = dice.NextDouble() < set.Timeouts;
            var before = dice.Next(2) == 0;
            return new(
                TimeSpan.FromMilliseconds(Math.Max(0, latency)), lost && before, lost && !before,
                dice.NextDouble() < set.Errors, dice.NextDouble() < set.Declines);
        }
    }

    static Set Read(BehaviourBody said)
    {
        var parts = said.Latency.Split('±');
        if (parts.Length > 2 || !IsWhole(parts[0], out var latency)
            || !IsWhole(parts.ElementAtOrDefault(1) ?? "0", out var spread))
            throw new FormatException($"The latency \"{said.Latency}\" cannot be. Allowed: 200 or 200±150, in milliseconds.");
        return new(
            said, latency, spread, Share("timeouts", said.Timeouts), Share("errors", said.Errors),
            Share("declines", said.Declines));
    }

    static bool IsWhole(string text, out int milliseconds) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out milliseconds) && milliseconds <= 600_000;

    static double Share(string name, string text) =>
        text.EndsWith('%')
        && double.TryParse(text[..^1], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var percent)
        && percent is >= 0 and <= 100
            ? percent / 100
            : throw new FormatException($"The share of {name} \"{text}\" cannot be. Allowed: 0% to 100%.");
}

/// <summary>Settings of the gateway process: <c>--latency 200±150 --timeouts 2% --errors 2% --declines 3%</c>.</summary>
public sealed class GatewaySettings
{
    /// <summary>Latency of replies in milliseconds, with an optional spread: <c>200±150</c>.</summary>
    public string Latency { get; set; } = "0";

    /// <summary>Share of requests that time out, with or without effect.</summary>
    public string Timeouts { get; set; } = "0%";

    /// <summary>Share of requests that fail with a server error.</summary>
    public string Errors { get; set; } = "0%";

    /// <summary>Share of charges that are declined.</summary>
    public string Declines { get; set; } = "0%";

    /// <summary>Of its bad days. Default 1.</summary>
    public int Seed { get; set; } = 1;

    /// <summary>Signs both ways; default: a new one, kept in the data directory as <c>gateway.secret</c>.</summary>
    public string GatewaySecret { get; set; } = "";

    /// <summary>Where its webhooks go, such as <c>http://127.0.0.1:4002/api/v1/webhooks/http</c>. Default nowhere.</summary>
    public string Webhook { get; set; } = "";

    public Behaviour Behaviour()
    {
        try
        {
            var behaviour = new Behaviour(Seed);
            behaviour.Become(new(Latency, Timeouts, Errors, Declines));
            return behaviour;
        }
        catch (FormatException error)
        {
            throw new InvalidSettingException(error.Message);
        }
    }
}
