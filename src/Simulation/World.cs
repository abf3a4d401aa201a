using System.Collections.Frozen;
using Microsoft.Extensions.Configuration;
using Orderwright.Contracts;
using Orderwright.Runtime;
using Orderwright.Runtime.Transport;
using Orderwright.SagaCoordinator.Process;
using Orderwright.Sagas;
using Orderwright.Verification;
using Orderwright.Verification.Healing;

namespace Orderwright.Simulation;

/// <summary>
/// A run: the four real services on simulated ports, in one thread, on one clock, with all randomness from one seed. The
/// run follows its plan; then every fault heals, and within a minute the system must have recovered.
/// </summary>
public sealed partial class World
{
    /// <summary>Time allowed for recovery after the last fault, and after the last action of a party.</summary>
    public static readonly TimeSpan Recovery = TimeSpan.FromSeconds(60);

    // The broker gives up on a process that has not reacted for this long.
    static readonly TimeSpan HeartbeatTimeout = TimeSpan.FromSeconds(3);

    // Most looks of a loop in a time without events, however long the time is.
    const int Looks = 150;

    static readonly TimeSpan Watch = TimeSpan.FromSeconds(20);
    static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(300);
    static readonly TimeSpan IdleAfter = TimeSpan.FromSeconds(5);

    readonly List<Slot> slots = [];
    readonly HashSet<string> kept = [];
    readonly HashSet<string> behind = [];
    readonly Dictionary<string, IReadOnlySet<Guid>> setBack = [];
    readonly Chance pollChance;
    readonly Arena arena;
    DateTimeOffset lastActivity;
    int nodes;
    bool isSettled;
    TimeSpan passingTime;

    public World(Plan plan, Arena arena, PlantedBug? bug = null, bool isTraced = false, string? process = null)
    {
        (Plan, this.arena) = (plan, arena);
        Bug = bug ?? PlantedBug.None;
        Pump = new Pump(Of("turns"));
        Trace = new Trace(Pump, isTraced);
        Faults = new ActiveFaults(Of("weather"));
        Network = new Network(this, Of("network")) { ByWire = plan.ByWire, SharesQueues = plan.SharesQueues };
        Actions = new LastActions(Pump);
        Gateway = new Gateway(this, Of("gateway"));
        GatewayChance = Of("calls");
        Outside = new Outside(this, Of("outside"));
        OutsideChance = Of("steps");
        IdChance = Of("ids");
        pollChance = Of("polls");
        ForgeryChance = Of("forgeries");
        Client = new Client(this, Of("client"));
        Options = new RuntimeOptions
        {
            MaxMessages = plan.MaxMessages, WatchInterval = HostTime.PollMarker, MarkInterval = TimeSpan.Zero,
        };
        if (!plan.DatabaseHasClock) Options.ClockTolerance = TimeSpan.Zero;
        Settings = new ConfigurationBuilder().AddInMemoryCollection(
            [
                new("Sandbox", "false"),
                new("Process", process),
                new("Capture", plan.TakesOnFulfilment ? CapturePolicies.Fulfilment : CapturePolicies.Confirmation),
            ]).Build();
        Process = ProcessSettings.Read(Settings).Definition;
        foreach (var (service, instances) in plan.Instances)
            for (var i = 1; i <= instances; i++) slots.Add(new Slot(this, service, i, arena.Databases[service]));
    }

    public Plan Plan { get; }

    public PlantedBug Bug { get; }

    public Pump Pump { get; }

    public Trace Trace { get; }

    public ActiveFaults Faults { get; }

    public Network Network { get; }

    /// <summary>Last actions of the parties on the orders.</summary>
    public LastActions Actions { get; }

    public Gateway Gateway { get; }

    public Client Client { get; }

    /// <summary>Participants of other companies.</summary>
    public Outside Outside { get; }

    public Chance OutsideChance { get; }

    /// <summary>Process of the run.</summary>
    public SagaDefinition Process { get; }

    /// <summary>Finds a step of the process; null for an unknown name.</summary>
    public SagaStep? StepOf(string name) => Process.Find(name);

    public Chance GatewayChance { get; }

    public Chance IdChance { get; }

    public Chance ForgeryChance { get; }

    public RuntimeOptions Options { get; }

    public IConfiguration Settings { get; }

    /// <summary>Start of the plan's time.</summary>
    public DateTimeOffset Began { get; private set; }

    public bool IsHealed { get; private set; }

    /// <summary>True once a service's database was restored to an earlier moment.</summary>
    public bool WasRestored(string service) => setBack.ContainsKey(service);

    /// <summary>Orders with rows of the service that were lost, or changed back, when its database was restored.</summary>
    public IReadOnlySet<Guid> SetBack(string service) => setBack.GetValueOrDefault(service) ?? FrozenSet<Guid>.Empty;

    /// <summary>Services whose database was restored and is not healed yet.</summary>
    public IReadOnlySet<string> Behind => behind;

    /// <summary>Result of the repairs; null without a restore.</summary>
    public HealReport? Healed { get; private set; }

    public IEnumerable<Node> NodesOf(string service) =>
        slots.Where(slot => slot.Service == service).Select(slot => slot.Node).OfType<Node>();

    /// <summary>
    /// Runs the plan to the end. Violations are part of the outcome; an exception is a defect of the simulation.
    /// </summary>
    public Outcome Run()
    {
        arena.Empty();
        foreach (var slot in slots) slot.Start();
        Advance(TimeSpan.FromSeconds(1), () => slots.All(slot => slot.Node!.IsUp));
        Client.Open(Plan.OnHand, Plan.Credit);
        Advance(TimeSpan.FromSeconds(1), () => Client.IsDone);

        Began = Pump.Now;
        var audit = new InvariantAudit(this, arena);
        foreach (var item in Plan.Items) Pump.After(item.At, () => Apply(item));
        for (var at = Watch; at < Plan.End; at += Watch) Pump.After(at, audit.CheckDuringRun);
        if (Process.Steps.Any(step => step.Human)) Pump.After(Watch, () => DecideInPerson(audit));
        Advance(Plan.End + TimeSpan.FromMilliseconds(10));
        Heal();
        HealDatabases();
        Recover(audit);

        audit.RetryIncidents();
        Advance(Recovery, () => Client.IsDone && Network.IsEmpty && audit.IsQuiet());
        audit.CheckIncidents();

        // Delayed messages may still arrive, and must change nothing.
        isSettled = true;
        Client.RepeatAll();
        Advance(
            TimeSpan.FromMinutes(15),
            () => Client.IsDone && Network.IsEmpty && Gateway.PendingWebhooks == 0 && Outside.PendingReplies == 0);
        Advance(TimeSpan.FromSeconds(70), audit.IsQuiet);
        // Times written by a fast clock have passed by then.
        PassTime(TimeSpan.FromSeconds(5) + Plan.FurthestAhead);
        Client.Start(audit.RunAsync);
        Advance(TimeSpan.FromMinutes(2), () => Client.IsDone);
        foreach (var slot in slots) slot.Node?.Die();
        return audit.Outcome;
    }

    public int NextNode() => ++nodes;

    /// <summary>Records activity: jobs poll often for a while.</summary>
    public void RecordActivity() => lastActivity = Pump.Now;

    /// <summary>
    /// Pause between two polls of a job: short during activity and long otherwise, so that an idle hour costs no more than
    /// an idle minute.
    /// </summary>
    public TimeSpan PollPause()
    {
        var (least, most) = isSettled ? IdlePause(10, passingTime)
            : IsHealed ? (250, 1_500)
            : IsIdle ? IdlePause(4, Plan.End)
            : (250, 5_000);
        return TimeSpan.FromMilliseconds(pollChance.Between(least, most));
    }

    /// <summary>
    /// Shortest pause of the loops that look at fixed intervals, while the world lets hours pass in which nothing happens.
    /// </summary>
    public TimeSpan LeastPause() => passingTime / Looks;

    static (int Least, int Most) IdlePause(int seconds, TimeSpan of)
    {
        var least = Math.Max(seconds * 1_000, (int)(of / Looks).TotalMilliseconds);
        return (least, 4 * least);
    }

    bool IsIdle => Pump.Now - lastActivity >= IdleAfter;

    // An item begins or ends, so jobs on a long pause poll soon.
    void Wake()
    {
        var wasIdle = IsIdle;
        RecordActivity();
        if (wasIdle) PollSoon();
    }

    void PollSoon()
    {
        foreach (var slot in slots) slot.Node?.PollSoon();
    }

    // Lets time pass without events.
    void PassTime(TimeSpan time)
    {
        passingTime = time;
        Advance(time);
        passingTime = TimeSpan.Zero;
        PollSoon();
    }

    // The condition may read tables, so a few evaluations per second suffice.
    void Advance(TimeSpan most, Func<bool>? isEnough = null)
    {
        for (var end = Pump.Now + most; Pump.Now < end;)
        {
            Pump.RunUntil(isEnough is null || Pump.Now + LookEvery > end ? end : Pump.Now + LookEvery);
            if (isEnough?.Invoke() == true) return;
        }
    }

    void Apply(PlanItem item)
    {
        Wake();
        if (item.What is Operation operation)
        {
            Trace.Record(null, $"[{item.Number}] {operation}");
            Client.Begin(operation);
            return;
        }
        if (IsHealed) return;
        var fault = (Fault)item.What;
        Trace.Record(null, $"[{item.Number}] {fault}");
        Begin(fault);
    }

    void Begin(Fault fault)
    {
        switch (fault)
        {
            case BrokerWiped:
                Faults.Count("broker wiped");
                Network.Wipe();
                break;
            case Garbage garbage:
                Faults.Count("garbage");
                Network.Inject(
                    garbage.To, new Delivery([], [new UnreadableMessage("garbage", "The message is unreadable.")]));
                break;
            case Killed killed when SlotOf(killed.Service, killed.Instance) is { } slot:
                Faults.Count("killed");
                slot.Crash(killed.Down);
                break;
            case Stopped stopped when SlotOf(stopped.Service, stopped.Instance) is { Node: { IsUp: true } node }:
                Faults.Count("stopped");
                node.Lane.Suspend(true);
                Pump.After(HeartbeatTimeout, () =>
                {
                    if (node.Lane.IsSuspended) Network.TakeOver(node);
                });
                Pump.After(fault.For, () => node.Lane.Suspend(false));
                break;
            case TakenOver taken when Network.ActiveOf(taken.Service) is { } active:
                Network.TakeOver(active);
                break;
            case ClockSkewed wrong when SlotOf(wrong.Service, wrong.Instance) is { } slot:
                Faults.Count(wrong.AtStart ? "clock wrong at start" : "clock skewed");
                slot.Skew = wrong.By;
                if (wrong.AtStart) slot.Crash(TimeSpan.Zero);
                Pump.After(fault.For, () => slot.Skew = TimeSpan.Zero);
                break;
            case Forged forged:
                Faults.Count("message forged");
                Forgeries.Send(this, forged);
                break;
            case KeyRevoked:
                Faults.Count("key revoked");
                Client.ReplaceKey();
                break;
            case Restored restored when kept.Add(restored.Service):
                arena.Keep(restored.Service);
                Pump.After(fault.For, () => Restore(restored));
                break;
            case StandbyStalled standby when kept.Add(standby.Service):
                arena.Keep(standby.Service);
                Faults.Begin(standby);
                Pump.After(fault.For, () => EndStall(standby));
                break;
            case Restored or StandbyStalled:
                // A database has one copy at a time.
                break;
            default:
                Faults.Begin(fault);
                Pump.After(fault.For, () =>
                {
                    Faults.End(fault);
                    Wake();
                });
                break;
        }
    }

    void Restore(Restored restored)
    {
        Faults.Count("database restored");
        kept.Remove(restored.Service);
        foreach (var slot in slots.Where(slot => slot.Service == restored.Service)) slot.Crash(restored.Down);
        // As the operations manual has it: messages of the lost time are purged.
        Network.Wipe();
        var changed = arena.BringBack(restored.Service, closesFence: !Bug.IgnoresFences);
        behind.Add(restored.Service);
        setBack[restored.Service] = changed.Concat(SetBack(restored.Service)).ToHashSet();
        if (restored.Service == ServiceNames.Customer) Client.ForgetErasures();
        Trace.Record(null, $"{restored.Service} is restored; {changed.Count} orders are set back");
        Wake();
    }

    void EndStall(StandbyStalled standby)
    {
        kept.Remove(standby.Service);
        Faults.End(standby);
        if (standby.TakesOver)
        {
            Faults.Count("standby took over");
            var lost = arena.BringBack(standby.Service);
            Trace.Record(null, $"the standby of {standby.Service} takes over; {lost.Count} orders are set back");
        }
        Wake();
    }

    // The operator looks at the list of waiting orders from time to time.
    void DecideInPerson(InvariantAudit audit)
    {
        audit.DecideInPerson();
        Pump.After(Watch / 4, () => DecideInPerson(audit));
    }

    Slot? SlotOf(string service, int instance) =>
        slots.Find(slot => slot.Service == service && slot.Instance == instance);

    Chance Of(string stream) => new(Plan.Seed, stream);
}

/// <summary>The result of a run.</summary>
/// <param name="Findings">Violations; empty when every invariant holds.</param>
/// <param name="Hash">Equal for two runs with the same course.</param>
/// <param name="OrderCounts">Orders per final status.</param>
/// <param name="FaultCounts">Faults that actually struck, per kind.</param>
public sealed record Outcome(
    IReadOnlyList<Finding> Findings, ulong Hash, IReadOnlyDictionary<string, int> OrderCounts,
    IReadOnlyDictionary<string, int> FaultCounts);
