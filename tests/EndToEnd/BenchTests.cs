using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Orderwright.EndToEnd;

/// <summary>
/// Runs the benchmark on tiny numbers to check that orders are counted and verified. Speed is irrelevant.
/// </summary>
public class BenchTests
{
    static readonly TimeSpan Limit = Waiting.HangLimit;

    [Fact]
    public async Task Every_reported_order_has_ended_and_is_verified()
    {
        Machine.Require(Machine.LacksServers);
        var folder = Directory.CreateTempSubdirectory("orderwright-bench-test-").FullName;
        var json = Path.Combine(folder, "runs.json");

        var output = await RunAsync("--quick", "--case", "c,i", "--json", json, "--report", folder);

        var report = JsonNode.Parse(await File.ReadAllTextAsync(json))!;
        var cases = report["cases"]!.AsArray();
        Assert.Equal(["c", "i"], cases.Select(each => (string?)each!["letter"]));
        foreach (var each in cases)
        {
            var loads = each!["measured"]!["series"]!.AsArray().SelectMany(series => series!["runs"]!.AsArray())
                .Select(run => run!["load"]!).ToList();
            Assert.All(loads, load => Assert.True((int)load["requests"]! > 0 && (double)load["seconds"]! > 0, output));
            Assert.True((long)each["measured"]!["verified"]! >= loads.Max(load => (int)load["requests"]!), output);
        }
        var atAHundred = cases[0]!["measured"]!["series"]![1]!["runs"]![0]!["load"]!;
        Assert.Equal(100, (int)atAHundred["requests"]!);
        Assert.Equal(100, (int)atAHundred["confirmed"]! + (int)atAHundred["rejected"]!);
        Assert.InRange((int)atAHundred["rejected"]!, 1, 30);
        Assert.NotNull(atAHundred["milliseconds"]!["p99"]);
        Assert.Contains("load client", cases[0]!["measured"]!["series"]![0]!["cpuBy"]!.AsObject().Select(pair => pair.Key));
        Assert.Contains("every invariant held", await File.ReadAllTextAsync(Path.Combine(folder, "RESULTS.md")),
            StringComparison.OrdinalIgnoreCase);
        Assert.Equal(
            ["cpu.svg", "latency.svg", "throughput.svg"],
            Directory.GetFiles(Path.Combine(folder, "plots")).Select(Path.GetFileName).Order());
        Directory.Delete(folder, recursive: true);
    }

    static async Task<string> RunAsync(params string[] arguments)
    {
        var program = Path.Combine(
            AppContext.BaseDirectory.Replace("/tests/EndToEnd/", "/bench/Bench/", StringComparison.Ordinal),
            "Orderwright.Bench.dll");
        using var bench = Process.Start(new ProcessStartInfo("dotnet", [program, .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        using var limit = new CancellationTokenSource(Limit);
        var output = await Task.WhenAll(
            bench.StandardOutput.ReadToEndAsync(limit.Token), bench.StandardError.ReadToEndAsync(limit.Token));
        await bench.WaitForExitAsync(limit.Token);
        Assert.True(bench.ExitCode == 0, string.Concat(output));
        return string.Concat(output);
    }
}
