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
    public Task Five_hundred_buyers_for_fifty_get_fifty() => RunAsync(HotSku.Trial, 200);

    [Fact]
    public Task A_hold_that_expires_while_it_is_committed_is_sold_or_lost_and_its_answer_says_which() =>
        RunAsync(ExpiryAgainstCommit.Trial, 600);

    [Fact]
    public Task A_saga_that_two_coordinators_advance_at_once_goes_one_way() => RunAsync(TwoCoordinators.Trial, 400);

    [Fact]
    public Task A_cancel_that_meets_the_confirmation_gives_everything_back() => RunAsync(CancelAgainstConfirmation.Trial, 600);

    async Task RunAsync(Trial trial, int rounds)
    {
        var seed = Environment.TickCount & 0xffff;
        output.WriteLine($"seed {seed}");
        output.WriteLine(await trial.RunAsync(new TrialGround(fixture.Server.NewDatabaseAsync, seed, rounds, _ => { })));
    }
}
