using Orderwright.Contracts;
using Orderwright.SagaCoordinator;

namespace Orderwright.Chaos.Rounds;

/// <summary>
/// Two coordinators receive every message at the same moment, in different batches and orders, mixed with duplicates,
/// cancellations and both timers. A round is one saga. The participants are models: reliable, and strict about
/// requests never to be sent.
/// </summary>
static class TwoCoordinators
{
    const int Wave = 200, MostTurns = 60;

    static readonly OrderPlaced Order = new("ada", "EUR", [new(1, "MUG-01", 2)], 0, new("sandbox", "tok_visa"), false);

    public static Trial Trial { get; } = new(
        "two-coordinators", "a saga that two coordinators advance at once goes one way, and every effect has its end", RunAsync);

    /// <summary>The effects on an order, at participants with one record per order.</summary>
    sealed class Effects
    {
        public bool Reserved, Authorized, Committed, Captured, Released, PaidBack;
    }

    static async Task<string> RunAsync(TrialGround ground)
    {
        var address = await ground.NewDatabaseAsync("two_coordinators");
        var clock = new ManualClock();
        await using var first = new ServiceInstance(new SagaModule(), address, clock);
        await using var other = new ServiceInstance(new SagaModule(), address, clock);
        await first.MigrateAsync();
        var dice = new Random(ground.Seed);
        var (completed, compensated) = (0L, 0L);
        for (var done = 0; done < ground.Rounds; done += Wave)
        {
            var effects = Enumerable.Range(0, Wave).Select(_ => Guid.CreateVersion7()).ToDictionary(id => id, _ => new Effects());
            var news = effects.Keys.Select(id => TrialMessages.That(id, Order, null, 1, clock.GetUtcNow())).ToList();
            var past = new List<Message>();
            for (var turn = 0; await CountOpenAsync(first, turn) > 0; turn++)
            {
                TrialGround.Check(turn < MostTurns, $"after {turn} turns {await CountOpenAsync(first, turn)} sagas are open");
                past.AddRange(news);
                // Cancellations, and repeats of earlier messages.
                if (turn is > 0 and < 5)
                    news.AddRange(effects.Keys.Where(_ => dice.Next(12) == 0).Select(
                        id => TrialMessages.That(id, new CancelRequested("customer", Order), null, 1, clock.GetUtcNow())));
                news.AddRange(past.Where(_ => dice.Next(8) == 0));
                var sent = await Task.WhenAll(
                    SendAsync(first, news, dice.Next()), SendAsync(other, news, dice.Next()),
                    Task.Run(() => first.RunJobAsync("resend-due-commands", 1_000)),
                    Task.Run(() => other.RunJobAsync("resend-due-commands", 1_000)));
                news = [.. sent.SelectMany(commands => commands)
                    .Select(command => AnswerTo(command, effects[command.OrderId], clock)).OfType<Message>()];
                clock.Advance(TimeSpan.FromSeconds(dice.Next(1, 4)));
            }
            foreach (var (id, state) in await first.QueryAsync(
                "SELECT order_id, state FROM sagas", row => (row.Uuid("order_id"), row.Text("state"))))
            {
                var did = effects[id];
                var isGood = did is
                    { Reserved: true, Authorized: true, Committed: true, Captured: true, Released: false, PaidBack: false };
                var isUndone = (!did.Reserved || did.Released) && (!did.Authorized || did.PaidBack);
                TrialGround.Check(
                    state == "completed" ? isGood : state == "compensated" && isUndone,
                    $"{id} is {state}; reserved {did.Reserved}, authorized {did.Authorized}, committed {did.Committed}, " +
                    $"captured {did.Captured}, released {did.Released}, paid back {did.PaidBack}");
                if (state == "completed") completed++;
                else compensated++;
            }
            await first.ExecuteAsync("TRUNCATE sagas, saga_timers");
            ground.Progress(done + Wave);
        }
        TrialGround.Check(completed > 0 && compensated > 0, $"{completed} completed, {compensated} compensated");
        return $"{completed:N0} completed, {compensated:N0} cancelled and undone";
    }

    static async Task<long> CountOpenAsync(ServiceInstance coordinator, int turn) => turn == 0
        ? 1
        : (await coordinator.QueryAsync(
            "SELECT count(*) AS total FROM sagas WHERE ended_at IS NULL", row => row.BigInt("total")))[0];

    static async Task<IReadOnlyList<Message>> SendAsync(ServiceInstance coordinator, IEnumerable<Message> news, int seed)
    {
        var own = new Random(seed);
        var shuffled = news.ToArray();
        own.Shuffle(shuffled);
        return await TrialMessages.AllAtOnceAsync(shuffled, own.Next(20, 80), coordinator);
    }

    // Idempotent; an undo leaves a tombstone that refuses the late command.
    static Message? AnswerTo(Message command, Effects did, ManualClock clock)
    {
        switch (command.Body)
        {
            case ReserveStock:
                if (did.Released) return Answer(false, Refused);
                did.Reserved = true;
                return Answer(false, Done with { Priced = [new(1, "MUG-01", 2, 300)] });
            case AuthorizePayment:
                if (did.PaidBack) return Answer(false, Refused);
                TrialGround.Check(did.Reserved, $"{command.OrderId}: the payment was requested before the goods were held");
                did.Authorized = true;
                return Answer(false, Done with { Payment = new(600, 0, 0, false) });
            case CommitStock:
                if (did.Released) return Answer(false, Refused);
                TrialGround.Check(
                    did is { Reserved: true, Authorized: true },
                    $"{command.OrderId}: goods were allocated before the money was secured");
                did.Committed = true;
                return Answer(false, Done);
            case CapturePayment:
                if (did.PaidBack) return Answer(false, Refused);
                TrialGround.Check(did.Authorized, $"{command.OrderId}: money was taken before it was secured");
                did.Captured = true;
                return Answer(false, Done with { Payment = new(600, 600, 0, false) });
            case ReleaseStock:
                did.Released = true;
                return Answer(true, Done);
            case UndoPayment:
                did.PaidBack = true;
                return Answer(true, Done with { Payment = did.Captured ? new(600, 600, 600, false) : new(600, 0, 0, true) });
            default:
                return null; // The outcome for order-service.
        }

        Message Answer(bool undo, StepAnswered answer) =>
            TrialMessages.That(command.OrderId, answer with { Undo = undo }, command.Step, command.Attempt, clock.GetUtcNow());
    }

    static readonly StepAnswered Done = new(false, StepOutcome.Completed);
    static readonly StepAnswered Refused = new(false, StepOutcome.Rejected, ReasonCodes.AlreadyUndone, "It was undone before.");
}
