using System.CommandLine;
using System.Globalization;
using Orderwright.Contracts;

namespace Orderwright.Chaos.Restores;

/// <summary>
/// <c>restores</c>: the distributed mode under load, one service's database at a time replaced by an earlier copy or by an
/// empty database, healed and verified. No charge may be made twice, and no acknowledged order be lost but by order-service.
/// </summary>
static class RestoresRun
{
    public static Command Command()
    {
        var ago = new Option<string[]>("--ago")
        {
            Description = "Age of the copies: a duration such as 10s or 10m, or empty. Repeat for several.",
            DefaultValueFactory = _ => ["10s", "empty"],
        };
        var services = new Option<string[]>("--service")
        {
            Description = "Service to restore; repeat for several. Default: each of the four in turn.",
            DefaultValueFactory = _ => [.. ServiceNames.All],
        };
        services.AcceptOnlyFromAmong([.. ServiceNames.All]);
        var rate = new Option<double>("--rate") { Description = "Orders per second.", DefaultValueFactory = _ => 40 };
        var before = new Option<int>("--before")
        {
            Description = "Orders placed before the first restore.",
            DefaultValueFactory = _ => 1_000,
        };
        var seed = new Option<int?>("--seed") { Description = "Seed of the orders." };
        var data = new Option<string?>("--data") { Description = "Directory of servers and logs, kept after a failure." };
        var command = new Command("restores", "Restore each service to an earlier moment under load, heal it, and verify.")
        {
            ago, services, rate, before, seed, data,
        };
        command.SetAction(async (parsed, cancel) =>
        {
            var results = await RunAsync(
                parsed.GetValue(services)!, [.. parsed.GetValue(ago)!.Select(AgeOf)], parsed.GetValue(rate),
                parsed.GetValue(before), parsed.GetValue(seed) ?? Environment.TickCount & 0xffff, parsed.GetValue(data),
                Console.WriteLine, cancel);
            foreach (var result in results) Console.WriteLine(result);
            return results.All(result => result.Holds) ? 0 : 1;
        });
        return command;
    }

    /// <param name="services">Services to restore, one after another.</param>
    /// <param name="ages">Ages of the copies; null for an empty database.</param>
    /// <param name="rate">Orders per second.</param>
    /// <param name="before">Orders placed before the first restore.</param>
    /// <param name="seed">Selects the orders.</param>
    /// <param name="data">Directory of servers and logs; null for a temporary directory deleted after success.</param>
    /// <param name="print">Receives progress lines.</param>
    /// <param name="cancel">Ends the run between two restores.</param>
    public static async Task<IReadOnlyList<RestoreResult>> RunAsync(
        IReadOnlyList<string> services, IReadOnlyList<TimeSpan?> ages, double rate, int before, int seed, string? data,
        Action<string> print, CancellationToken cancel)
    {
        var directory = data ?? Path.Combine("/tmp", $"orderwright-restores-{Environment.ProcessId}");
        print($"restores: seed {seed}, {rate:0} orders/s; servers and logs in {directory}");
        var results = new List<RestoreResult>();
        // Marks are exchanged as in production: a database that comes back without a note is noticed by them.
        await using (var cluster = await Cluster.StartAsync(
            directory, ["--latency", "20±15", "--declines", "2%"], 1, new Dictionary<string, string>(), cancel))
        {
            var shop = new RestoredShop(cluster, Path.GetFullPath(directory), seed, rate);
            await shop.OpenAsync(before, cancel);
            foreach (var age in ages)
                foreach (var service in services)
                {
                    if (cancel.IsCancellationRequested) break;
                    results.Add(await shop.RestoreAsync(service, age, cancel));
                    print($"{results[^1]}");
                }
        }
        if (data is null && results.All(result => result.Holds)) Directory.Delete(directory, recursive: true);
        return results;
    }

    static TimeSpan? AgeOf(string text)
    {
        if (text == "empty") return null;
        var number = double.Parse(text[..^1], CultureInfo.InvariantCulture);
        return text[^1] switch
        {
            's' => TimeSpan.FromSeconds(number),
            'm' => TimeSpan.FromMinutes(number),
            _ => throw new FormatException($"{text} is neither a duration, such as 10s or 10m, nor empty."),
        };
    }
}

/// <summary>Outcome of a restore and its repair.</summary>
/// <param name="Service">The restored service.</param>
/// <param name="Age">Age of the copy; null for an empty database.</param>
/// <param name="Orders">Acknowledged orders at the end.</param>
/// <param name="Heal">Duration of <c>heal</c>.</param>
/// <param name="Passes">Passes of the last <c>heal</c>.</param>
/// <param name="Repairs">Repairs sent.</param>
/// <param name="Conflicts">Conflicts left to a person.</param>
/// <param name="Incidents">Open incidents by step and code, which wait for a person.</param>
/// <param name="Lost">Acknowledged orders that no longer exist.</param>
/// <param name="ChargedTwice">Orders with two charges that hold money, by the gateway's own record.</param>
/// <param name="Problems">Anything that must not be.</param>
sealed record RestoreResult(
    string Service, TimeSpan? Age, int Orders, TimeSpan Heal, int Passes, long Repairs, int Conflicts,
    IReadOnlyDictionary<string, long> Incidents, int Lost, long ChargedTwice, IReadOnlyList<string> Problems)
{
    /// <summary>True if nothing was lost that another service held, and nothing charged twice.</summary>
    public bool Holds => Problems.Count == 0 && ChargedTwice == 0 && (Lost == 0 || Service == ServiceNames.Order);

    public override string ToString()
    {
        var moment = Age is { } age ? $"{age.TotalSeconds:0} s ago" : "empty";
        var problems = string.Concat(Problems.Select(problem => $"\n    {problem}"));
        var incidents = string.Join(", ", Incidents.Select(pair => $"{pair.Value} {pair.Key}"));
        return $"{(Holds ? "✓" : "✗")} {Service} restored to {moment}: {Orders:N0} orders, healed in {Heal.TotalSeconds:0.0} s " +
            $"({Passes} passes, {Repairs:N0} repairs, {Conflicts} conflicts), {Lost} orders lost, {ChargedTwice} charged " +
            $"twice, open incidents: {(incidents == "" ? "none" : incidents)}{problems}";
    }
}
