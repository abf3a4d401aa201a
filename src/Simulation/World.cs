using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.Verification;

namespace Orderwright.Simulation;

/// <summary>
/// One run: the four services, real but for their ports, in one thread, on one clock, with all chance out of one seed. It
/// does and suffers what its plan says; then everything heals, and within a minute all must be well.
/// </summary>
public sealed class World
{
    /// <summary>How long everything may take to be well again.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);
    static readonly TimeSpan Watch = TimeSpan.FromSeconds(20);
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan DullAfter = TimeSpan.FromSeconds(5);

    readonly List<Slot> slots = [];
    readonly Chance pollChance;
    readonly Arena arena;
    DateTimeOffset lastActivity;
    int nodes;
    bool isSettled;
    TimeSpan passing;

    public World(Plan plan, Arena arena, Plant? plant = null, bool isTraced = false)
    {
        (Plan, this.arena) = (plan, arena);
        Plant = plant ?? Plant.None;
        Pump = new Pump(Of("turns"));
        Trace = new Trace(Pump, isTraced);
        Weather = new Weather(Of("weather"));
        Network = new Network(this, Of("network")) { ByWire = plan.ByWire };
        Gateway = new Gateway(this, Of("gateway"));
        GatewayChance = Of("calls");
        IdChance = Of("ids");
        pollChance = Of("polls");
        Client = new Client(this, Of("client"));
        Options = new RuntimeOptions { MaxMessages = plan.MaxMessages };
        Settings = new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("Sandbox", "false"),
                new("Capture", plan.TakesOnFulfilment ? CapturePolicies.Fulfilment : CapturePolicies.Confirmation),
            ]).Build();
        foreach (var (service, instances) in plan.Instances)
            for (var i = 1; i <= instances; i++) slots.Add(new Slot(this, service, i, arena.Databases[service]));
    }

    public Plan Plan { get; }

    public Plant Plant { get; }

    public Pump Pump { get; }

    public Trace Trace { get; }

    public Weather Weather { get; }

    public Network Network { get; }

    public Gateway Gateway { get; }

    public Client Client { get; }

    public Chance GatewayChance { get; }

    public Chance IdChance { get; }

    public RuntimeOptions Options { get; }

    public IConfiguration Settings { get; }

    /// <summary>When the plan's time begins.</summary>
    public DateTimeOffset Began { get; private set; }

    public bool IsHealed { get; private set; }

    public IEnumerable<Node> NodesOf(string service) =>
        slots.Where(slot => slot.Service == service).Select(slot => slot.Node).OfType<Node>();

    /// <summary>Runs it all. What is wrong in the end is in the outcome; what throws is wrong with the simulation.</summary>
    public Outcome Run()
    {
        arena.Sweep();
        foreach (var slot in slots) slot.Start();
        Go(TimeSpan.FromSeconds(1), () => slots.All(slot => slot.Node!.IsUp));
        Client.Open(Plan.OnHand, Plan.Credit);
        Go(TimeSpan.FromSeconds(1), () => Client.IsDone);

        Began = Pump.Now;
        var audit = new Audit(this, arena);
        foreach (var item in Plan.Items) Pump.After(item.At, () => Happen(item));
        for (var at = Watch; at < Plan.End; at += Watch) Pump.After(at, audit.LookMeanwhile);
        Go(Plan.End + TimeSpan.FromMilliseconds(10));
        Heal();
        Go(Recovery, () => Client.IsDone && Network.IsEmpty && audit.IsQuiet());
        audit.LookForLaggards();

        audit.RetryIncidents();
        Go(Recovery, () => Client.IsDone && Network.IsEmpty && audit.IsQuiet());
        audit.LookForIncidents();

        // What is still on its way may come now, and must change nothing.
        isSettled = true;
        Client.RepeatAll();
        Go(TimeSpan.FromMinutes(15), () => Client.IsDone && Network.IsEmpty && Gateway.Untold == 0);
        Go(TimeSpan.FromSeconds(70), audit.IsQuiet);
        // What a clock that was ahead has written lies in the past by then.
        Pass(TimeSpan.FromSeconds(5) + Plan.FurthestAhead);
        Client.Start(audit.JudgeAsync);
        Go(TimeSpan.FromMinutes(2), () => Client.IsDone);
        foreach (var slot in slots) slot.Node?.Die();
        return audit.Outcome;
    }

    public int NextNode() => ++nodes;

    /// <summary>Something is going on: whoever looks at tables from time to time looks often.</summary>
    public void Stir() => lastActivity = Pump.Now;

    /// <summary>
    /// How long a job's loop rests: often a moment, in a dull time longer, so that a dull hour costs no more than a dull
    /// minute.
    /// </summary>
    public TimeSpan PollPause()
    {
        var (least, most) = isSettled ? Dull(10, passing)
            : IsHealed ? (250, 1_500)
            : IsDull ? Dull(4, Plan.End)
            : (250, 5_000);
        return TimeSpan.FromMilliseconds(pollChance.Between(least, most));
    }

    static (int Least, int Most) Dull(int seconds, TimeSpan of)
    {
        var least = Math.Max(seconds * 1_000, (int)of.TotalMilliseconds / 150);
        return (least, 4 * least);
    }

    bool IsDull => Pump.Now - lastActivity >= DullAfter;

    // Something begins or ends: whoever rests for long looks soon.
    void Wake()
    {
        var wasDull = IsDull;
        Stir();
        if (wasDull) Hurry();
    }

    void Hurry()
    {
        foreach (var slot in slots) slot.Node?.Hurry();
    }

    // Nothing is to happen meanwhile.
    void Pass(TimeSpan time)
    {
        passing = time;
        Go(time);
        passing = TimeSpan.Zero;
        Hurry();
    }

    // Whether it is enough may take a look at tables; a few of them a second will do.
    void Go(TimeSpan most, Func<bool>? isEnough = null)
    {
        for (var end = Pump.Now + most; Pump.Now < end;)
        {
            Pump.RunUntil(isEnough is null || Pump.Now + LookEvery > end ? end : Pump.Now + LookEvery);
            if (isEnough?.Invoke() == true) return;
        }
    }

    void Happen(PlanItem item)
    {
        Wake();
        if (item.What is Operation operation)
        {
            Trace.Tell(null, $"[{item.Number}] {operation}");
            Client.Begin(operation);
            return;
        }
        if (IsHealed) return;
        var fault = (Fault)item.What;
        Trace.Tell(null, $"[{item.Number}] {fault}");
        Strike(fault);
    }

    void Strike(Fault fault)
    {
        switch (fault)
        {
            case BrokerWiped:
                Weather.Count("broker wiped");
                Network.Wipe();
                break;
            case Garbage garbage:
                Weather.Count("garbage");
                Network.Inject(garbage.To, new Delivery([], [new UnreadableMessage("garbage", "It is garbage.", null, null)]));
                break;
            case Killed killed when SlotOf(killed.Service, killed.Instance) is { } slot:
                Weather.Count("killed");
                slot.Crash(killed.Down);
                break;
            case Stopped stopped when SlotOf(stopped.Service, stopped.Instance) is { Node: { IsUp: true } node }:
                Weather.Count("stopped");
                node.Lane.Hold(true);
                Pump.After(fault.For, () => node.Lane.Hold(false));
                break;
            case ClockWrong wrong when SlotOf(wrong.Service, wrong.Instance) is { } slot:
                Weather.Count("clock wrong");
                slot.Skew = wrong.By;
                Pump.After(fault.For, () => slot.Skew = TimeSpan.Zero);
                break;
            default:
                Weather.Begin(fault);
                Pump.After(fault.For, () =>
                {
                    Weather.End(fault);
                    Wake();
                });
                break;
        }
    }

    void Heal()
    {
        IsHealed = true;
        Trace.Tell(null, $"everything heals");
        Weather.Clear();
        foreach (var slot in slots)
        {
            slot.Skew = TimeSpan.Zero;
            slot.Node?.Lane.Hold(false);
            slot.Start();
            slot.Node!.Hurry();
        }
    }

    Slot? SlotOf(string service, int instance) =>
        slots.Find(slot => slot.Service == service && slot.Instance == instance);

    Chance Of(string stream) => new(Plan.Seed, stream);
}

/// <summary>What became of a run.</summary>
/// <param name="Findings">What must not be; empty when all is well.</param>
/// <param name="Hash">The same for two runs in which the same happened.</param>
/// <param name="Ends">How many orders ended how.</param>
/// <param name="Struck">How often something went wrong, by kind.</param>
public sealed record Outcome(
    IReadOnlyList<Finding> Findings, ulong Hash, IReadOnlyDictionary<string, int> Ends,
    IReadOnlyDictionary<string, int> Struck);
