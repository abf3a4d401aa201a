namespace Orderwright.Verification;

/// <summary>What was found wrong with one thing.</summary>
/// <param name="Invariant"><c>I1</c> to <c>I9</c>.</param>
/// <param name="Subject">An order id, a SKU, a customer, a currency.</param>
/// <param name="What">One sentence with the values in it.</param>
public sealed record Finding(string Invariant, string Subject, string What);

public enum CheckOutcome
{
    Holds,
    Broken,

    /// <summary>No table can show it; the tests of the API do.</summary>
    CheckedByTests,
}

/// <summary>One invariant of DESIGN.md section 6.</summary>
/// <param name="Name"><c>I1</c> to <c>I9</c>.</param>
/// <param name="Says">The invariant in short.</param>
/// <param name="Outcome">Whether it holds.</param>
/// <param name="Looked">What was looked at: a count per kind.</param>
/// <param name="Broken">How many findings there are.</param>
/// <param name="Findings">The first <see cref="MaxFindings"/> of them.</param>
public sealed record CheckResult(
    string Name, string Says, CheckOutcome Outcome, IReadOnlyDictionary<string, long> Looked, long Broken,
    IReadOnlyList<Finding> Findings)
{
    public const int MaxFindings = 20;
}

/// <summary>The result of a verification.</summary>
/// <param name="Checks">I1 to I9.</param>
/// <param name="Orders">Orders seen.</param>
/// <param name="InFlight">Orders that were being worked on while they were read; what they showed is not counted.</param>
/// <param name="Passes">How often everything was read: again when something looked wrong that had only just been touched.</param>
/// <param name="Duration">Of all passes.</param>
public sealed record VerificationReport(
    IReadOnlyList<CheckResult> Checks, long Orders, long InFlight, int Passes, TimeSpan Duration)
{
    public bool Holds => Checks.All(check => check.Outcome != CheckOutcome.Broken);
}

/// <summary>Gathers counts and findings while the tables are read.</summary>
sealed class ReportBuilder
{
    static readonly (string Name, string Says)[] Invariants =
    [
        ("I1", "every acknowledged order exists exactly once, with its saga"),
        ("I2", "at most one capture per order, for exactly its total; nothing kept of an order that is off"),
        ("I3", "per currency captured − refunded = paid orders; balances, payments, journal and gateway agree"),
        ("I4", "per SKU on hand ≥ allocated + reserved ≥ 0; ledger and reservations sum to the level"),
        ("I5", "statuses follow the graph, one version per step, terminal is never left"),
        ("I6", "a hold belongs to an open order and is young"),
        ("I7", "every order is settled, waits for a named party, or is an open incident"),
        ("I8", "no response holds a row its caller may not see"),
        ("I9", "each status change has exactly one event"),
    ];

    readonly Dictionary<string, SortedDictionary<string, long>> looked =
        Invariants.ToDictionary(i => i.Name, _ => new SortedDictionary<string, long>(StringComparer.Ordinal));
    readonly Dictionary<string, List<Finding>> findings = Invariants.ToDictionary(i => i.Name, _ => new List<Finding>());
    readonly Dictionary<string, long> broken = Invariants.ToDictionary(i => i.Name, _ => 0L);

    public long Orders { get; set; }

    public long InFlight { get; set; }

    /// <summary>Something looked wrong with an order that had only just been touched.</summary>
    public bool Doubtful { get; set; }

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

    CheckResult Result((string Name, string Says) invariant) =>
        new(
            invariant.Name, invariant.Says,
            broken[invariant.Name] > 0 ? CheckOutcome.Broken
            : invariant.Name == "I8" ? CheckOutcome.CheckedByTests
            : CheckOutcome.Holds,
            looked[invariant.Name], broken[invariant.Name], findings[invariant.Name]);
}
