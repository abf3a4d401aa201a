namespace Orderwright.SagaCoordinator.Notices;

/// <summary>Open incidents of a step and a code.</summary>
public sealed record IncidentGroup(string Step, string Code, long Count);

/// <summary>Change that a notice tells.</summary>
/// <param name="Kind">One of <see cref="NoticeKinds"/>.</param>
/// <param name="Step">Stuck step.</param>
/// <param name="Code">Code of the incidents.</param>
/// <param name="Count">Incidents now.</param>
/// <param name="Before">Incidents in the last notice about them; 0 for none.</param>
public sealed record NoticeLine(string Kind, string Step, string Code, long Count, long Before);

public static class NoticeKinds
{
    public const string New = "new";

    /// <summary>At least twice as many as last told.</summary>
    public const string Worse = "worse";

    public const string Resolved = "resolved";
}

/// <summary>Notice to send.</summary>
/// <param name="Id">The same in every attempt.</param>
/// <param name="At">Time of the comparison.</param>
/// <param name="Lines">1 or more.</param>
/// <param name="Told">What the receivers know once the notice is sent.</param>
/// <param name="Done">Channels by which the notice was sent.</param>
/// <param name="Attempts">Attempts so far, the present one included.</param>
public sealed record PendingNotice(
    Guid Id, DateTimeOffset At, IReadOnlyList<NoticeLine> Lines, IReadOnlyList<IncidentGroup> Told,
    IReadOnlyList<string> Done, int Attempts);

/// <summary>Decisions about notices. Pure.</summary>
public static class NoticeRules
{
    /// <summary>Attempts of a notice, over half a day; then the incidents count as told.</summary>
    public const int MostAttempts = 20;

    /// <summary>Longest pause between two attempts.</summary>
    public static readonly TimeSpan LongestPause = TimeSpan.FromHours(1);

    /// <summary>Compares the open incidents with those that the receivers know of.</summary>
    public static IReadOnlyList<NoticeLine> Compare(IReadOnlyList<IncidentGroup> told, IReadOnlyList<IncidentGroup> open)
    {
        var lines = new List<NoticeLine>();
        foreach (var group in open.Where(group => group.Count > 0))
        {
            var before = CountOf(told, group);
            if (before == 0) lines.Add(new(NoticeKinds.New, group.Step, group.Code, group.Count, 0));
            else if (group.Count >= 2 * before)
                lines.Add(new(NoticeKinds.Worse, group.Step, group.Code, group.Count, before));
        }
        foreach (var group in told)
            if (CountOf(open, group) == 0)
                lines.Add(new(NoticeKinds.Resolved, group.Step, group.Code, 0, group.Count));
        return lines;
    }

    /// <summary>Groups as the receivers know them after a notice. A number that fell, or rose a little, stays as told.</summary>
    public static IReadOnlyList<IncidentGroup> After(IReadOnlyList<IncidentGroup> told, IReadOnlyList<NoticeLine> lines) =>
    [
        .. told.Where(group => !lines.Any(line => line.Step == group.Step && line.Code == group.Code)),
        .. lines.Where(line => line.Count > 0).Select(line => new IncidentGroup(line.Step, line.Code, line.Count)),
    ];

    public static TimeSpan PauseAfter(int attempts)
    {
        var pause = TimeSpan.FromSeconds(30 * Math.Pow(2, Math.Min(attempts, 10) - 1));
        return pause < LongestPause ? pause : LongestPause;
    }

    /// <summary>A line in words.</summary>
    public static string Words(NoticeLine line)
    {
        var where = line.Code.Length > 0 ? $"{line.Step} ({line.Code})" : line.Step;
        return line.Kind switch
        {
            NoticeKinds.New => $"{line.Count} new at {where}",
            NoticeKinds.Worse => $"{line.Count} at {where}, {line.Before} before",
            _ => $"resolved at {where}, {line.Before} before",
        };
    }

    static long CountOf(IReadOnlyList<IncidentGroup> groups, IncidentGroup like) =>
        groups.FirstOrDefault(group => group.Step == like.Step && group.Code == like.Code)?.Count ?? 0;
}
