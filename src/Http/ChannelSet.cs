namespace Orderwright.Http;

/// <summary>
/// Channels that a caller reaches: all, or some by name. Orders, payments, sagas, events and webhooks belong to a channel, and
/// every read and every change of such rows is limited by this set.
/// </summary>
public sealed class ChannelSet
{
    /// <summary>Channel of a company with a single shop front.</summary>
    public const string Main = "main";

    /// <summary>Name of all channels in key files, settings and webhooks.</summary>
    public const string Any = "*";

    public const int MaxNameLength = 64;

    public static readonly ChannelSet All = new(null);

    readonly string[]? names;

    ChannelSet(string[]? names) => this.names = names;

    /// <summary>The named channels; all if <see cref="Any"/> is among the names.</summary>
    public static ChannelSet Of(params IReadOnlyList<string> names) =>
        names.Contains(Any) ? All : new([.. names.Distinct(StringComparer.Ordinal)]);

    public bool IsAll => names is null;

    /// <summary>Channel of an order whose request names none.</summary>
    public string Default => names is [var first, ..] ? first : Main;

    /// <summary>
    /// Argument <c>@channels</c> of a statement: <c>,main,eu,</c>, or null for all. A comma is not part of a name.
    /// </summary>
    public string? Filter => names is null ? null : $",{string.Join(',', names)},";

    /// <summary>The <see cref="Filter"/> of a single channel; null for all channels.</summary>
    public static string? FilterOf(string? channel) => channel is null ? null : $",{channel},";

    /// <summary>True for a name of 1 to 64 visible characters without commas, asterisks and spaces.</summary>
    public static bool IsName(string name) =>
        name.Length is >= 1 and <= MaxNameLength
        && !name.Any(c => c is ',' or '*' || char.IsWhiteSpace(c) || char.IsControl(c));

    /// <param name="channel">Channel of a row; null for a row of no known channel, for callers of all channels only.</param>
    public bool Contains(string? channel) => names is null || (channel is not null && names.Contains(channel));

    /// <summary>True if every channel of the other set is in this set.</summary>
    public bool Covers(ChannelSet other) => names is null || (other.names is { } theirs && theirs.All(names.Contains));

    /// <summary>The set, narrowed to one channel by a filter of a list; unchanged without a filter.</summary>
    public ChannelSet Only(string? channel) => channel is null ? this : new(Contains(channel) ? [channel] : []);

    public override string ToString() => names is null ? Any : string.Join(',', names);
}
