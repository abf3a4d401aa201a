using Orderwright.Contracts;
using Orderwright.StepService;

namespace Orderwright.Simulation;

/// <summary>
/// Participants of other companies, which keep the contract of docs/how-to/add-a-step.md and nothing else: each acts once per
/// key, remembers an undo that came first, and answers whenever it likes. Only requests change its state.
/// </summary>
public sealed class Outside(World world, Chance chance)
{
    readonly Dictionary<string, StepAnswered> answers = [];
    readonly Dictionary<(Guid Order, string Step), Effect> effects = [];
    readonly HashSet<(Guid Order, string Step)> deciding = [];

    sealed class Effect
    {
        public int Done { get; set; }

        public bool Undone { get; set; }

        public bool Refused { get; set; }
    }

    /// <summary>Replies of its own that are not accepted yet.</summary>
    public int PendingReplies { get; private set; }

    /// <summary>True while somebody at the participant has yet to decide.</summary>
    public bool IsDeciding(Guid order, string step) => deciding.Contains((order, step));

    /// <summary>Carries a request out, once per key.</summary>
    public StepAnswered Carry(Guid order, StepCall call, string key)
    {
        if (answers.TryGetValue(key, out var known)) return known;
        var effect = Of(order, call.Step);
        if (call.Undo)
        {
            effect.Undone = true;
            effect.Done = 0;
            return answers[key] = new(true, StepOutcome.Completed);
        }
        if (effect.Undone) return answers[key] = new(false, StepOutcome.Rejected, ReasonCodes.AlreadyUndone, "Undone before.");
        switch (chance.Next(20))
        {
            case < 2:
                effect.Refused = true;
                return answers[key] = new(false, StepOutcome.Rejected, "refused_outside", "No.");
            case < 5:
                answers[key] = new(false, StepOutcome.Waiting);
                ReplyLater(order, call, key);
                return answers[key];
            case < 6:
                return new(false, StepOutcome.Retry, "busy", "Not now.", TimeSpan.FromSeconds(chance.Between(0, 5)));
            case < 7:
                return new(false, StepOutcome.InDoubt, "finding_out", "Finding out.");
            default:
                return answers[key] = Do(effect);
        }
    }

    /// <summary>Compares the effects with the ends of the orders.</summary>
    /// <param name="orders">Status of each order.</param>
    /// <param name="add">Adds a finding.</param>
    public void Check(IReadOnlyDictionary<Guid, string> orders, Action<string, Guid, string> add)
    {
        foreach (var ((order, step), effect) in effects)
        {
            if (effect.Done > 1) add("I4", order, $"was done {effect.Done} times at {step}");
            if (!orders.TryGetValue(order, out var status)) continue;
            var isOff = status is OrderStatuses.Rejected or OrderStatuses.Cancelled or OrderStatuses.Expired;
            var (hasUndo, isRequired) = world.StepOf(step) is { } known
                ? (known.Undo is not null, !known.Optional)
                : (false, false);
            if (isOff && hasUndo && effect.Done > 0) add("I4", order, $"is {status}, and {step} is not undone");
            if (!isOff && isRequired && effect.Refused) add("I4", order, $"is {status}, and {step} was refused");
            if (!isOff && isRequired && effect.Undone) add("I4", order, $"is {status}, and {step} is undone");
        }
    }

    Effect Of(Guid order, string step) => effects.TryGetValue((order, step), out var effect)
        ? effect
        : effects[(order, step)] = new Effect();

    static StepAnswered Do(Effect effect)
    {
        effect.Done++;
        return new(false, StepOutcome.Completed, Detail: """{"score":7}""");
    }

    // Somebody decides; the participant sends the reply until it is accepted, and sometimes again.
    void ReplyLater(Guid order, StepCall call, string key)
    {
        PendingReplies++;
        deciding.Add((order, call.Step));
        world.Pump.After(chance.Between(TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(20)), () =>
        {
            PendingReplies--;
            deciding.Remove((order, call.Step));
            var effect = Of(order, call.Step);
            if (effect.Undone)
                answers[key] = new(false, StepOutcome.Rejected, ReasonCodes.AlreadyUndone, "Undone before.");
            else if (chance.Hit(0.2))
            {
                effect.Refused = true;
                answers[key] = new(false, StepOutcome.Rejected, "refused_outside", "No.");
            }
            else
                answers[key] = Do(effect);
            world.Actions.Record(order);
            world.Trace.Record(order, $"outside: {call.Step} is decided: {answers[key].Outcome}");
            for (var times = chance.Hit(0.2) ? 2 : 1; times > 0; times--) Send(order, call.Step, answers[key], TimeSpan.Zero);
        });
    }

    void Send(Guid order, string step, StepAnswered answer, TimeSpan pause)
    {
        PendingReplies++;
        world.Pump.After(pause, () => world.Client.Start(async () =>
        {
            var accepted = await world.Client.CallAsync(ServiceNames.Coordinator, async node =>
            {
                await node.Steps!.RecordAsync(order, step, answer);
                return new Http.Answer(204, default, null);
            });
            PendingReplies--;
            if (accepted is not { Status: 204 })
                Send(order, step, answer, chance.Between(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(8)));
        }));
    }
}

/// <summary>
/// Connects a process to <see cref="Outside"/> over a wire that loses requests and responses, delays and repeats requests, and is
/// silent for a while.
/// </summary>
public sealed class OutsideParticipants(Node node) : IStepParticipants
{
    static readonly TimeSpan LongestHop = TimeSpan.FromMilliseconds(120);
    static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);
    static readonly TimeSpan LatestArrival = TimeSpan.FromSeconds(45);

    World World => node.World;

    public string? FaultOf(string step) => null;

    public async Task<StepResult> CallAsync(Guid orderId, StepCall call, CancellationToken cancel)
    {
        var chance = World.OutsideChance;
        var key = World.Bug.KeyOf(orderId, call);
        if (World.Bug.SkipsUndo(call)) return new(new StepAnswered(true, StepOutcome.Completed), IsAnswered: true);
        node.Reach(FaultPoint.BeforeGatewayCall);
        await Task.Delay(chance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        if (!World.IsHealed)
            switch (chance.Next(16))
            {
                case 0:
                    World.Faults.Count("step 503");
                    return Failed(call, "503 Service Unavailable");
                case 1:
                    World.Faults.Count("step request lost");
                    return await SilentAsync(call, cancel);
                case 2:
                    World.Faults.Count("step request late");
                    World.Pump.After(chance.Between(TimeSpan.FromSeconds(1), LatestArrival), () =>
                    {
                        World.Actions.Record(orderId);
                        Carry(orderId, call, key);
                    });
                    return await SilentAsync(call, cancel);
                case 3:
                    World.Faults.Count("step response lost");
                    Carry(orderId, call, key);
                    return await SilentAsync(call, cancel);
                case 4:
                    World.Faults.Count("step request twice");
                    World.Pump.After(chance.Between(TimeSpan.Zero, LatestArrival), () => Carry(orderId, call, key));
                    break;
            }
        var answer = Carry(orderId, call, key);
        await Task.Delay(chance.Between(TimeSpan.Zero, LongestHop), node.Time, cancel);
        node.Reach(FaultPoint.AfterGatewayCall);
        return new(answer, IsAnswered: true);
    }

    StepAnswered Carry(Guid orderId, StepCall call, string key)
    {
        var answer = World.Outside.Carry(orderId, call, key);
        World.Trace.Record(orderId, $"outside: {call.Action} {call.Step} {answer.Outcome}");
        return answer;
    }

    async Task<StepResult> SilentAsync(StepCall call, CancellationToken cancel)
    {
        await Task.Delay(Deadline, node.Time, cancel);
        return Failed(call, "No response.");
    }

    static StepResult Failed(StepCall call, string why) =>
        new(ParticipantReply.CallAgain(call.Undo, ParticipantReply.Unavailable, why), IsAnswered: false);
}
