using System.Globalization;
using System.Text.Json;
using Orderwright.Client;
using Orderwright.Contracts;
using Orderwright.Http;

namespace Orderwright.OperatorConsole;

/// <summary>How the console writes things.</summary>
public static class Words
{
    public static string Span(TimeSpan span) => span.Duration() switch
    {
        { TotalSeconds: < 1 } short_ => $"{(int)short_.TotalMilliseconds} ms",
        { TotalSeconds: < 100 } seconds => $"{(int)seconds.TotalSeconds} s",
        { TotalMinutes: < 100 } minutes => $"{(int)minutes.TotalMinutes} min",
        { TotalHours: < 48 } hours => $"{(int)hours.TotalHours} h",
        var days => $"{(int)days.TotalDays} d",
    };

    /// <summary>A duration that was measured, in milliseconds: with a place behind the point where it is short.</summary>
    public static string Time(double ms) => ms < 1_000 ? $"{Number(ms, "0")} ms" : ms < 100_000 ? $"{Number(ms / 1_000)} s"
        : Span(TimeSpan.FromMilliseconds(ms));

    public static string Money(JsonElement of, string name, string currency = "currency") =>
        of.Whole(name) is { } minor && Currencies.IsKnown(of.Text(currency))
            ? Contracts.Money.Format(minor, of.Text(currency))
            : "–";

    public static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    public static string Number(double number, string format = "0.#") => number.ToString(format, CultureInfo.InvariantCulture);

    public static string Share(double share) => share.ToString("0.# %", CultureInfo.InvariantCulture);

    /// <summary>Enough of an id to tell it from its neighbours: the end of a UUIDv7 is random.</summary>
    public static string ShortId(string id) => id.Length > 12 ? $"…{id[^12..]}" : id;

    public static DateTimeOffset? Time(JsonElement of, string name) =>
        of.ValueKind == JsonValueKind.Object && of.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time : null;

    public static bool Flag(JsonElement of, string name) => of.Text(name) == "true";

    /// <summary>A state as people say it.</summary>
    public static string State(string state) => state == "indoubt" ? "in doubt" : state.Replace('_', ' ');

    /// <summary>What a state looks like: <c>good</c>, <c>bad</c>, <c>busy</c>, <c>wait</c> or <c>off</c>.</summary>
    public static string Tone(string state) => state switch
    {
        "completed" or "succeeded" or "confirmed" or "captured" or "paid" or "authorized" or "allocated" or "committed" or "done"
            or "good" or "went_on" or "settled" or "fulfilled" or "agrees" => "good",
        "failed" or "incident" or "undo_failed" or "late" or "stuck" or "rejected" or "declined" or "given_up" or "out"
            or "nobody" or "stuck_again" or "unknown" or "differs" => "bad",
        "waiting" or "indoubt" or "in_doubt" or "action_required" or "cancel_pending" or "low" or "stopping"
            or "stopped" or "undecided" => "wait",
        "running" or "asked" or "pending" or "compensating" or "authorizing" or "capturing" or "voiding" or "refunding"
            or "held" or "canary" or "rest" or "acted" or "partially_fulfilled" or "listing" or "comparing" => "busy",
        _ => "off",
    };
}
