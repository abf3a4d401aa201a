namespace Orderwright.Chaos.Rounds;

public sealed class RoundsServerFixture : IAsyncLifetime
{
    RoundsServer? server;

    internal RoundsServer Server
    {
        get
        {
            Machine.Require(Machine.LacksPostgres);
            return server!;
        }
    }

    public async ValueTask InitializeAsync()
    {
        if (Machine.LacksPostgres is null) server = await RoundsServer.StartAsync();
    }

    public ValueTask DisposeAsync() => server?.DisposeAsync() ?? default;
}

/// <summary>A few hundred rounds of each race; <c>./orderwright rounds</c> runs ten thousand.</summary>
public class RoundsTests(RoundsServerFixture fixture, ITestOutputHelper output) : IClassFixture<RoundsServerFixture>
{
    [Fact]
    public Task Five_hundred_buyers_for_fifty_units_get_fifty() => RunAsync(HotSku.Trial, 200);

    [Fact]
    public Task Goods_that_ship_during_their_commit_are_sold_once_and_shipped_once() =>
        RunAsync(ShipmentAgainstCommit.Trial, 600);

    [Fact]
    public Task A_saga_advanced_by_two_coordinators_at_once_takes_a_single_course() => RunAsync(TwoCoordinators.Trial, 400);

    [Fact]
    public Task A_cancellation_during_the_confirmation_returns_money_and_goods() =>
        RunAsync(CancelAgainstConfirmation.Trial, 600);

    async Task RunAsync(Trial trial, int rounds)
    {
        var seed = Environment.TickCount & 0xffff;
        output.WriteLine($"seed {seed}");
        output.WriteLine(await trial.RunAsync(new TrialGround(fixture.Server.NewDatabaseAsync, seed, rounds, _ => { })));
    }
}
