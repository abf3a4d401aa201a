using Orderwright.Contracts;
using Orderwright.SagaCoordinator;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// Every message goes to two coordinators in the same moment, in different batches and orders, with duplicates of what
/// came before, cancellations and both timers in between. A round is one saga. The participants are models that keep
/// their promises and refuse what must never be asked.
/// </summary>
static class TwoCoordinators
{
    const int Wave = 200, MostTurns = 60;

    static readonly OrderPlaced Order = new("ada", "EUR", [new(1, "MUG-01", 2)], 0, new("sandbox", "tok_visa"), false);

    public static Trial Trial { get; } = new(
        "two-coordinators", "a saga that two coordinators advance at once goes one way, and every effect has its end", RunAsync);

    /// <summary>What has been done for an order, at participants that know each order once.</summary>
    sealed class Effects
    {
        public bool Reserved, Authorized, Committed, Captured, Released, PaidBack;
    }

    static async Task<string> RunAsync(TrialGround ground)
    {
        var address = await ground.NewDatabaseAsync("two_coordinators");
        var clock = new StandingClock();
        await using var one = new ServiceInstance(new SagaModule(), address, clock);
        await using var other = new ServiceInstance(new SagaModule(), address, clock);
        await one.MigrateAsync();
        var dice = new Random(ground.Seed);
        var (completed, compensated) = (0L, 0L);
        for (var done = 0; done < ground.Rounds; done += Wave)
        {
            var effects = Enumerable.Range(0, Wave).Select(_ => Guid.CreateVersion7()).ToDictionary(id => id, _ => new Effects());
            var news = effects.Keys.Select(id => Say.That(id, Order, null, 1, clock.GetUtcNow())).ToList();
            var past = new List<Message>();
            for (var turn = 0; await CountOpenAsync(one, turn) > 0; turn++)
            {
                TrialGround.Must(turn < MostTurns, $"after {turn} turns {await CountOpenAsync(one, turn)} sagas are open");
                past.AddRange(news);
                // Somebody cancels; and what was said before comes again.
                if (turn is > 0 and < 5)
                    news.AddRange(effects.Keys.Where(_ => dice.Next(12) == 0).Select(
                        id => Say.That(id, new CancelRequested("customer", Order), null, 1, clock.GetUtcNow())));
                news.AddRange(past.Where(_ => dice.Next(8) == 0));
                var sent = await Task.WhenAll(
                    TellAsync(one, news, dice.Next()), TellAsync(other, news, dice.Next()),
                    Task.Run(() => one.RunJobAsync("resend-due-commands", 1_000)), Task.Run(() => other.RunJobAsync("resend-due-commands", 1_000)));
                news = [.. sent.SelectMany(commands => commands).Select(command => AnswerTo(command, effects[command.OrderId], clock)).OfType<Message>()];
                clock.Advance(TimeSpan.FromSeconds(dice.Next(1, 4)));
            }
            foreach (var (id, state) in await one.QueryAsync(
                "SELECT order_id, state FROM sagas", row => (row.Uuid(0), row.Text(1))))
            {
                var did = effects[id];
                var isGood = did is { Reserved: true, Authorized: true, Committed: true, Captured: true, Released: false, PaidBack: false };
                var isUndone = (!did.Reserved || did.Released) && (!did.Authorized || did.PaidBack);
                TrialGround.Must(
                    state == "completed" ? isGood : state == "compensated" && isUndone,
                    $"{id} is {state}; reserved {did.Reserved}, authorized {did.Authorized}, committed {did.Committed}, " +
                    $"captured {did.Captured}, released {did.Released}, paid back {did.PaidBack}");
                if (state == "completed") completed++;
                else compensated++;
            }
            await one.ExecuteAsync("TRUNCATE sagas, saga_timers");
            ground.Progress(done + Wave);
        }
        TrialGround.Must(completed > 0 && compensated > 0, $"{completed} completed, {compensated} compensated");
        return $"{completed:N0} completed, {compensated:N0} cancelled and undone";
    }

    static async Task<long> CountOpenAsync(ServiceInstance coordinator, int turn) => turn == 0
        ? 1
        : (await coordinator.QueryAsync("SELECT count(*) FROM sagas WHERE ended_at IS NULL", row => row.BigInt(0)))[0];

    static async Task<IReadOnlyList<Message>> TellAsync(ServiceInstance coordinator, IEnumerable<Message> news, int seed)
    {
        var own = new Random(seed);
        var shuffled = news.ToArray();
        own.Shuffle(shuffled);
        return await Say.AllAtOnceAsync(shuffled, own.Next(20, 80), coordinator);
    }

    // Idempotent; an undo leaves a tombstone that refuses the late do.
    static Message? AnswerTo(Message command, Effects did, StandingClock clock)
    {
        switch (command.Body)
        {
            case ReserveStock:
                if (did.Released) return Answer(false, Refused);
                did.Reserved = true;
                return Answer(false, Done with { Priced = [new(1, "MUG-01", 2, 300)] });
            case AuthorizePayment:
                if (did.PaidBack) return Answer(false, Refused);
                TrialGround.Must(did.Reserved, $"{command.OrderId}: money was asked for before the goods were held");
                did.Authorized = true;
                return Answer(false, Done with { Payment = new(600, 0, 0, false) });
            case CommitStock:
                if (did.Released) return Answer(false, Refused);
                TrialGround.Must(did is { Reserved: true, Authorized: true }, $"{command.OrderId}: goods were allocated before the money was secured");
                did.Committed = true;
                return Answer(false, Done);
            case CapturePayment:
                if (did.PaidBack) return Answer(false, Refused);
                TrialGround.Must(did.Committed, $"{command.OrderId}: money was taken before the goods were allocated");
                did.Captured = true;
                return Answer(false, Done with { Payment = new(600, 600, 0, false) });
            case ReleaseStock:
                did.Released = true;
                return Answer(true, Done);
            case UndoPayment:
                did.PaidBack = true;
                return Answer(true, Done with { Payment = did.Captured ? new(600, 600, 600, false) : new(600, 0, 0, true) });
            default:
                return null; // The outcome, for order-service; a renewal.
        }

        Message Answer(bool undo, StepAnswered answer) =>
            Say.That(command.OrderId, answer with { Undo = undo }, command.Step, command.Attempt, clock.GetUtcNow());
    }

    static readonly StepAnswered Done = new(false, StepOutcome.Completed);
    static readonly StepAnswered Refused = new(false, StepOutcome.Rejected, ReasonCodes.AlreadyUndone, "It was undone before.");
}
