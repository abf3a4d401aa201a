namespace Orderwright.Verification;

/// <summary>A violation found on one subject.</summary>
/// <param name="Invariant"><c>I1</c> to <c>I10</c>.</param>
/// <param name="Subject">Order id, SKU, customer, currency or table.</param>
/// <param name="What">The violation in one sentence, with its values.</param>
/// <param name="Repair">Suggested repair: a command, a call, or the place to look first.</param>
public sealed record Finding(string Invariant, string Subject, string What, string Repair);

/// <summary>Rows that were read and could not be judged: neither a violation nor a success.</summary>
/// <param name="Subject">Kind of the rows.</param>
/// <param name="Count">Number of the rows.</param>
/// <param name="Why">The reason, with the way to a judgement.</param>
public sealed record Unjudged(string Subject, long Count, string Why);

/// <summary>A database as read.</summary>
/// <param name="Service">Owner of the database.</param>
/// <param name="Since">Creation of the database: its first migration.</param>
public sealed record DatabaseRead(string Service, DateTimeOffset? Since);

public enum CheckOutcome
{
    Holds,
    Broken,

    /// <summary>Not visible in the tables; the API tests check this invariant.</summary>
    CheckedByTests,
}

/// <summary>Result of a verification as a whole.</summary>
public enum Verdict
{
    /// <summary>Every row was judged, and no invariant is violated.</summary>
    Holds,

    /// <summary>An invariant is violated.</summary>
    Broken,

    /// <summary>No violation was found, and some rows were not judged.</summary>
    NotJudged,
}

/// <summary>The result for one invariant (docs/concepts/consistency.md).</summary>
/// <param name="Name"><c>I1</c> to <c>I10</c>.</param>
/// <param name="Summary">The invariant in short.</param>
/// <param name="Outcome">Result of the check.</param>
/// <param name="Looked">Number of rows examined, per kind.</param>
/// <param name="Broken">Number of findings.</param>
/// <param name="Findings">The first <see cref="MaxFindings"/> findings.</param>
public sealed record CheckResult(
    string Name, string Summary, CheckOutcome Outcome, IReadOnlyDictionary<string, long> Looked, long Broken,
    IReadOnlyList<Finding> Findings)
{
    public const int MaxFindings = 20;
}

/// <summary>The result of a verification.</summary>
/// <param name="Checks">I1 to I10.</param>
/// <param name="Orders">Number of orders read.</param>
/// <param name="InFlight">Orders being changed in every pass that read them; their findings are not counted.</param>
/// <param name="Passes">Number of passes: another follows while orders are in flight.</param>
/// <param name="Duration">Duration of all passes.</param>
public sealed record VerificationReport(
    IReadOnlyList<CheckResult> Checks, long Orders, long InFlight, int Passes, TimeSpan Duration)
{
    /// <summary>Rows that were read and not judged; success is never reported for these.</summary>
    public IReadOnlyList<Unjudged> NotJudged { get; init; } = [];

    /// <summary>Facts outside the tables, each judged by the command or the test named in the reason.</summary>
    public IReadOnlyList<Unjudged> Elsewhere { get; init; } = [];

    public Verdict Verdict =>
        Checks.Any(check => check.Outcome == CheckOutcome.Broken) ? Verdict.Broken
        : NotJudged.Count > 0 ? Verdict.NotJudged
        : Verdict.Holds;

    /// <summary>True when every row was judged and no invariant is violated.</summary>
    public bool Holds => Verdict == Verdict.Holds;
}

/// <summary>Collects counts and findings while the tables are read.</summary>
sealed class ReportBuilder
{
    static readonly (string Name, string Summary)[] Invariants =
    [
        ("I1", "every acknowledged order exists exactly once, with its saga"),
        ("I2", "at most one capture per order, for exactly its total; nothing kept of a failed order"),
        ("I3", "per currency captured − refunded = paid orders; balances, payments, journal and gateway agree"),
        ("I4", "per SKU on hand ≥ allocated + reserved ≥ 0; ledger and reservations sum to the level"),
        ("I5", "statuses follow the graph, one version per step, terminal is never left"),
        ("I6", "a hold belongs to an open order and has not outlived its time"),
        ("I7", "every order is settled, waits for a named party, or is an open incident"),
        ("I8", "no response holds a row its caller may not see"),
        ("I9", "each status change has exactly one event"),
        ("I10", "no stored time lies in the future"),
        ("I11", "an erased customer keeps no money, no open order and no text, and is never used again"),
    ];

    readonly Dictionary<string, SortedDictionary<string, long>> looked =
        Invariants.ToDictionary(i => i.Name, _ => new SortedDictionary<string, long>(StringComparer.Ordinal));
    readonly Dictionary<string, List<Finding>> findings = Invariants.ToDictionary(i => i.Name, _ => new List<Finding>());
    readonly Dictionary<string, long> broken = Invariants.ToDictionary(i => i.Name, _ => 0L);
    readonly SortedDictionary<(string Subject, string Why), long> notJudged = [];
    readonly SortedDictionary<(string Subject, string Why), long> elsewhere = [];

    public long Orders { get; set; }

    public void Look(string invariant, string kind, long count = 1)
    {
        var counts = looked[invariant];
        counts[kind] = counts.GetValueOrDefault(kind) + count;
    }

    public void Add(Finding finding)
    {
        broken[finding.Invariant]++;
        if (findings[finding.Invariant] is { Count: < CheckResult.MaxFindings } list) list.Add(finding);
    }

    /// <summary>Counts rows that cannot be judged.</summary>
    public void LeaveOpen(string subject, string why, long count = 1) =>
        notJudged[(subject, why)] = notJudged.GetValueOrDefault((subject, why)) + count;

    /// <summary>Counts rows with a side outside the tables.</summary>
    public void Refer(string subject, string why, long count = 1) =>
        elsewhere[(subject, why)] = elsewhere.GetValueOrDefault((subject, why)) + count;

    public VerificationReport Build(long inFlight, int passes, TimeSpan duration)
    {
        if (inFlight > 0)
            LeaveOpen(
                "orders", "changed just now, in every pass; verify again, or wait for them with --settle SECONDS", inFlight);
        return new([.. Invariants.Select(Result)], Orders, inFlight, passes, duration)
        {
            NotJudged = Listed(notJudged), Elsewhere = Listed(elsewhere),
        };
    }

    static IReadOnlyList<Unjudged> Listed(SortedDictionary<(string Subject, string Why), long> counts) =>
        [.. counts.Select(pair => new Unjudged(pair.Key.Subject, pair.Value, pair.Key.Why))];

    CheckResult Result((string Name, string Summary) invariant) =>
        new(
            invariant.Name, invariant.Summary,
            broken[invariant.Name] > 0 ? CheckOutcome.Broken
            : invariant.Name == "I8" ? CheckOutcome.CheckedByTests
            : CheckOutcome.Holds,
            looked[invariant.Name], broken[invariant.Name], findings[invariant.Name]);
}
