using System.Diagnostics;

namespace Orderwright.Fuzz;

/// <summary>
/// A short run of every target without instrumentation: all seeds and earlier findings, then the same mutations of them in
/// every run. <c>./orderwright fuzz</c> searches for new ones.
/// </summary>
public class FuzzTests
{
    const int Mutations = 20_000;

    // Far above the fuzzer's limit of a second: the machine may run other suites at the same time.
    static readonly TimeSpan Hang = TimeSpan.FromSeconds(20);

    public static TheoryData<string> Targets => [.. FuzzTarget.All.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_reader_keeps_its_promises_for_all_seeds(string name)
    {
        var seeds = SeedsOf(name);
        Assert.NotEmpty(seeds);
        foreach (var seed in seeds) Check(name, seed);
    }

    [Theory]
    [MemberData(nameof(Targets))]
    public void A_reader_keeps_its_promises_for_mutated_seeds(string name)
    {
        var seeds = SeedsOf(name);
        var dice = new Random(1);
        for (var count = 0; count < Mutations; count++) Check(name, Mutation.Of(seeds, dice));
    }

    [Fact]
    public void A_reader_that_breaks_a_promise_is_found() =>
        Assert.ThrowsAny<Exception>(() => CheckWith(
            _ => FuzzTarget.Require(false, "planted"), "planted", [1, 2, 3]));

    static void Check(string name, byte[] input) => CheckWith(FuzzTarget.Named(name).Check, name, input);

    static void CheckWith(Action<byte[]> check, string name, byte[] input)
    {
        var started = Stopwatch.GetTimestamp();
        try
        {
            check(input);
        }
        catch (Exception error)
        {
            Assert.Fail($"{name}, input {Convert.ToBase64String(input)}: {error}");
        }
        Assert.True(Stopwatch.GetElapsedTime(started) < Hang, $"{name} takes too long for {Convert.ToBase64String(input)}");
    }

    static List<byte[]> SeedsOf(string name) =>
        [.. Directory.EnumerateFiles(FuzzTarget.Named(name).Corpus).Order(StringComparer.Ordinal).Select(File.ReadAllBytes)];
}
