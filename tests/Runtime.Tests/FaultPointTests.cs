using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Orderwright.Contracts;
using Orderwright.Runtime.Transport;
using Orderwright.Storage.Sqlite;

namespace Orderwright.Runtime.Tests;

public sealed class FaultPointTests
{
    static FaultPoints? Read(params (string Name, string Value)[] settings) => FaultPoints.Read(
        new ConfigurationBuilder().AddInMemoryCollection(
            settings.Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Value))).Build());

    [Theory]
    [InlineData(FaultPoint.BeforeCommit, "dies", "commit", "publish 1 to saga-coordinator")]
    [InlineData(FaultPoint.AfterCommit, "commit", "dies", "publish 1 to saga-coordinator")]
    [InlineData(FaultPoint.AfterPublish, "commit", "publish 1 to saga-coordinator", "dies")]
    public async Task Each_point_is_reached_at_the_named_moment(FaultPoint point, params string[] story)
    {
        var journal = new Journal();
        await RunAsync(new FaultPoints(point, at: 1, probability: 0, () => journal.Note("dies")), journal, sends: true, times: 1);
        Assert.Equal(story, journal.Lines);
    }

    [Fact]
    public async Task A_count_is_reached_once_and_batches_without_effects_do_not_count()
    {
        var journal = new Journal();
        var points = new FaultPoints(FaultPoint.AfterCommit, at: 3, probability: 0, () => journal.Note("dies"));
        await RunAsync(points, journal, sends: false, times: 10);
        Assert.DoesNotContain("dies", journal.Lines);
        await RunAsync(points, journal, sends: true, times: 2);
        Assert.DoesNotContain("dies", journal.Lines);
        await RunAsync(points, journal, sends: true, times: 10);
        Assert.Single(journal.Lines, "dies");
    }

    [Fact]
    public async Task A_probability_is_met_sooner_or_later()
    {
        var journal = new Journal();
        await RunAsync(
            new FaultPoints(FaultPoint.BeforeCommit, 0, 0.5, () => journal.Note("dies")), journal, sends: true, times: 64);
        Assert.InRange(journal.Lines.Count(line => line == "dies"), 1, 63);
    }

    [Theory]
    [InlineData("before-commit")]
    [InlineData("after-commit:20")]
    [InlineData("after-publish:0.01")]
    public void A_point_is_read_from_the_settings(string value) => Assert.NotNull(Read(("FAULT", value)));

    [Theory]
    [InlineData("somewhere")]
    [InlineData("after-commit:")]
    [InlineData("after-commit:0")]
    [InlineData("after-commit:1.5")]
    [InlineData("after-commit:-1")]
    public void An_unknown_point_is_refused(string value) =>
        Assert.Throws<InvalidSettingException>(() => Read(("FAULT", value)));

    [Theory]
    [InlineData("LISTEN", "http://0.0.0.0:4001")]
    [InlineData("KEYS", "/etc/orderwright/keys.json")]
    public void Crashes_in_production_need_an_extra_permission(string name, string value)
    {
        Assert.Throws<InvalidSettingException>(() => Read(("FAULT", "before-commit"), (name, value)));
        Assert.NotNull(Read(("FAULT", "before-commit"), (name, value), ("FaultAllowed", "true")));
        Assert.Null(Read((name, value)));
    }

    static async Task RunAsync(FaultPoints points, Journal journal, bool sends, int times)
    {
        var options = new RuntimeOptions();
        await using var database = new FaultyDatabase(new SqliteDatabase(":memory:", options), journal);
        await using var transport = new RecordingTransport(new InProcessTransport(options, TimeProvider.System), journal);
        using var metrics = new Metrics(ServiceNames.Stock);
        var runner = new BatchRunner(
            ServiceNames.Stock, database, transport, options, TimeProvider.System, new IdSource(), metrics,
            NullLogger<BatchRunner>.Instance, points);
        for (var i = 0; i < times; i++)
            await runner.RunOnceAsync(
                work =>
                {
                    if (sends) work.Answer(Commands.Of(new ReleaseStock()), new StepAnswered(Undo: false, StepOutcome.Completed));
                    return Task.CompletedTask;
                },
                default);
    }
}
