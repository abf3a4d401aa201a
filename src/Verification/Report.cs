namespace Orderwright.Verification;

/// <summary>A violation found on one subject.</summary>
/// <param name="Invariant"><c>I1</c> to <c>I9</c>.</param>
/// <param name="Subject">Order id, SKU, customer or currency.</param>
/// <param name="What">The violation in one sentence, with its values.</param>
public sealed record Finding(string Invariant, string Subject, string What);

public enum CheckOutcome
{
    Holds,
    Broken,

    /// <summary>Not visible in the tables; the API tests check this invariant.</summary>
    CheckedByTests,
}

/// <summary>The result for one invariant (ARCHITECTURE.md, Invariants).</summary>
/// <param name="Name"><c>I1</c> to <c>I9</c>.</param>
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
/// <param name="Checks">I1 to I9.</param>
/// <param name="Orders">Number of orders read.</param>
/// <param name="InFlight">Orders being changed while they were read; their findings are not counted.</param>
/// <param name="Passes">Number of passes: another follows when an order that had just been changed looked wrong.</param>
/// <param name="Duration">Duration of all passes.</param>
public sealed record VerificationReport(
    IReadOnlyList<CheckResult> Checks, long Orders, long InFlight, int Passes, TimeSpan Duration)
{
    public bool Holds => Checks.All(check => check.Outcome != CheckOutcome.Broken);
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
        ("I12", "an imported order has every line of its file"),
    ];

    readonly Dictionary<string, SortedDictionary<string, long>> looked =
        Invariants.ToDictionary(i => i.Name, _ => new SortedDictionary<string, long>(StringComparer.Ordinal));
    readonly Dictionary<string, List<Finding>> findings = Invariants.ToDictionary(i => i.Name, _ => new List<Finding>());
    readonly Dictionary<string, long> broken = Invariants.ToDictionary(i => i.Name, _ => 0L);

    public long Orders { get; set; }

    public long InFlight { get; set; }

    /// <summary>True when an order that had just been changed looked wrong.</summary>
    public bool NeedsAnotherPass { get; set; }

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

    public VerificationReport Build(int passes, TimeSpan duration) =>
        new([.. Invariants.Select(Result)], Orders, InFlight, passes, duration);

    CheckResult Result((string Name, string Summary) invariant) =>
        new(
            invariant.Name, invariant.Summary,
            broken[invariant.Name] > 0 ? CheckOutcome.Broken
            : invariant.Name == "I8" ? CheckOutcome.CheckedByTests
            : CheckOutcome.Holds,
            looked[invariant.Name], broken[invariant.Name], findings[invariant.Name]);
}
