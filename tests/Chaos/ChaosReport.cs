using System.Text.Json;
using Orderwright.Verification;

namespace Orderwright.Chaos;

/// <summary>The result of a run.</summary>
sealed class ChaosReport(int seed, TimeSpan duration)
{
    static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    readonly SortedDictionary<string, List<TimeSpan>> recoveries = new(StringComparer.Ordinal);

    public int Seed => seed;

    public int Rounds { get; set; }

    public TimeSpan Load { get; set; }

    public int Accepted { get; set; }

    public int ComparedReplays { get; set; }

    public int Cancels { get; set; }

    public IReadOnlyDictionary<string, int> Answers { get; set; } = new Dictionary<string, int>();

    public IReadOnlyDictionary<string, long> ByStatus { get; set; } = new Dictionary<string, long>();

    /// <summary>Messages that conform to the published schemas, by type.</summary>
    public IReadOnlyDictionary<string, int> Messages { get; set; } = new Dictionary<string, int>();

    public long Incidents { get; set; }

    public IReadOnlyList<string> DeadLetters { get; set; } = [];

    /// <summary>Kinds of faults not permitted on this machine, with the reason.</summary>
    public SortedDictionary<string, string> Skipped { get; } = new(StringComparer.Ordinal);

    public List<string> Violations { get; } = [];

    public VerificationReport? Verification { get; set; }

    public bool Holds => Violations.Count == 0 && Verification is { Holds: true };

    public int Faults => recoveries.Values.Sum(times => times.Count);

    public TimeSpan LongestRecovery => recoveries.Values.SelectMany(times => times).DefaultIfEmpty().Max();

    /// <summary>Adds the faults since the last calm period, and the time of recovery from them.</summary>
    public void Add(IEnumerable<string> faults, TimeSpan recovery)
    {
        foreach (var fault in faults)
        {
            if (!recoveries.TryGetValue(fault, out var times)) recoveries.Add(fault, times = []);
            times.Add(recovery);
        }
    }

    public void Print(Action<string> print)
    {
        print("");
        print($"{"fault",-32}{"times",8}{"recovery: median",18}{"longest",10}");
        foreach (var (fault, times) in recoveries)
            print($"{fault,-32}{times.Count,8}{Median(times),16:0.0} s{times.Max().TotalSeconds,8:0.0} s");
        foreach (var (fault, why) in Skipped) print($"{fault,-32} skipped: {why}");
        print("");
        print(
            $"load                {Load:hh\\:mm\\:ss} of {duration:hh\\:mm\\:ss}, {Rounds} rounds, {Faults} faults, seed {seed}");
        print($"orders accepted     {Accepted:N0}; by status: {Pairs(ByStatus)}; cancels accepted {Cancels:N0}");
        print($"responses           {Pairs(Answers)}; repeated under the same key and compared: {ComparedReplays:N0}");
        print($"messages            {Messages.Values.Sum():N0} of {Messages.Count} types conform to asyncapi.json");
        print($"incidents           {Incidents:N0}; dead letters {DeadLetters.Count:N0}");
        print($"longest recovery    {LongestRecovery.TotalSeconds:0.0} s (at most 60)");
        print(
            "verify              "
            + $"{(Verification is null ? "not run" : Verification.Holds ? "every invariant holds" : "BROKEN")}; {Looked()}");
        foreach (var violation in Violations) print($"✗ {violation}");
        print(Holds ? "✓ Nothing was lost." : $"✗ {Violations.Count} violations.");
    }

    public string ToJson() => JsonSerializer.Serialize(
        new
        {
            holds = Holds,
            seed,
            minutes = duration.TotalMinutes,
            loadSeconds = Math.Round(Load.TotalSeconds, 1),
            rounds = Rounds,
            faults = recoveries.ToDictionary(pair => pair.Key, pair => new
            {
                times = pair.Value.Count,
                medianRecoverySeconds = Math.Round(Median(pair.Value), 1),
                longestRecoverySeconds = Math.Round(pair.Value.Max().TotalSeconds, 1),
            }),
            skipped = Skipped,
            accepted = Accepted,
            byStatus = ByStatus,
            cancels = Cancels,
            answers = Answers,
            comparedReplays = ComparedReplays,
            messages = Messages,
            incidents = Incidents,
            deadLetters = DeadLetters.Count,
            longestRecoverySeconds = Math.Round(LongestRecovery.TotalSeconds, 1),
            verify = Verification?.Holds,
            violations = Violations,
        },
        Indented);

    string Looked() => Verification is null ? "" : string.Join(
        ", ", Verification.Checks.Where(check => check.Name is "I1" or "I2" or "I4").SelectMany(check => check.Looked)
            .Select(pair => $"{pair.Value:N0} {pair.Key}"));

    static double Median(List<TimeSpan> times) => times.Order().ElementAt(times.Count / 2).TotalSeconds;

    static string Pairs<T>(IReadOnlyDictionary<string, T> counts) =>
        string.Join(", ", counts.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key} {pair.Value:N0}"));
}
