using Orderwright.Contracts;

namespace Orderwright.Simulation;

/// <summary>The points at which a process can be killed.</summary>
public enum FaultPoint
{
    /// <summary>All rows are written, none is durable.</summary>
    BeforeCommit,

    /// <summary>The transaction is durable, no message is sent.</summary>
    AfterCommit,
    BeforePublish,

    /// <summary>Messages are sent, the cause is not acknowledged.</summary>
    BeforeAck,
    BeforeGatewayCall,
    AfterGatewayCall,
}

/// <summary>Failures of a transaction without a crash.</summary>
public enum CommitFault
{
    None,
    Unavailable,
    Fails,
    ReplyLost,
}

/// <summary>The faults in effect: lasting ones, and crashes waiting for a point.</summary>
public sealed class ActiveFaults(Chance chance)
{
    static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(3);

    readonly List<LinkFault> links = [];
    readonly List<DatabaseFault> databases = [];
    readonly List<PublishFault> publishers = [];
    readonly List<GatewayFault> gateways = [];
    readonly List<ClientFault> clients = [];
    readonly List<CrashAt> traps = [];
    readonly List<string> stalled = [];
    readonly List<string> full = [];
    readonly Dictionary<string, int[]> reached =
        ServiceNames.All.ToDictionary(service => service, _ => new int[Enum.GetValues<FaultPoint>().Length]);

    /// <summary>Number of times each kind of fault actually struck.</summary>
    public SortedDictionary<string, int> FaultCounts { get; } = new(StringComparer.Ordinal);

    public void Count(string kind) => FaultCounts[kind] = FaultCounts.GetValueOrDefault(kind) + 1;

    public void Begin(Fault fault)
    {
        switch (fault)
        {
            case LinkFault link: links.Add(link); break;
            case DatabaseFault database: databases.Add(database); break;
            case PublishFault publisher: publishers.Add(publisher); break;
            case GatewayFault gateway: gateways.Add(gateway); break;
            case ClientFault client: clients.Add(client); break;
            case StandbyStalled standby: stalled.Add(standby.Service); break;
            case DiskFull disk: full.Add(disk.Service); break;
            case CrashAt trap:
                traps.Add(trap with { Nth = reached[trap.Service][(int)trap.Point] + trap.Nth });
                break;
        }
    }

    public void End(Fault fault)
    {
        switch (fault)
        {
            case LinkFault link: links.Remove(link); break;
            case DatabaseFault database: databases.Remove(database); break;
            case PublishFault publisher: publishers.Remove(publisher); break;
            case GatewayFault gateway: gateways.Remove(gateway); break;
            case ClientFault client: clients.Remove(client); break;
            case StandbyStalled standby: stalled.Remove(standby.Service); break;
            case DiskFull disk: full.Remove(disk.Service); break;
        }
    }

    public void Clear()
    {
        links.Clear();
        databases.Clear();
        publishers.Clear();
        gateways.Clear();
        clients.Clear();
        traps.Clear();
        stalled.Clear();
        full.Clear();
    }

    /// <summary>Counts a service's pass of a point and returns the crash planned for this pass, if any.</summary>
    public CrashAt? Reach(string service, FaultPoint point)
    {
        var nth = ++reached[service][(int)point];
        if (traps.Count == 0) return null;
        var trap = traps.Find(trap => trap.Service == service && trap.Point == point && trap.Nth == nth);
        if (trap is not null) traps.Remove(trap);
        return trap;
    }

    public CommitFault NextCommit(string service)
    {
        foreach (var fault in databases)
        {
            if (fault.Service != service) continue;
            if (chance.Hit(fault.Unavailable)) return Counted(CommitFault.Unavailable, "database unavailable");
            if (chance.Hit(fault.Fails)) return Counted(CommitFault.Fails, "commit failed");
            if (chance.Hit(fault.ReplyLost)) return Counted(CommitFault.ReplyLost, "commit reply lost");
        }
        return CommitFault.None;

        CommitFault Counted(CommitFault fault, string kind)
        {
            Count(kind);
            return fault;
        }
    }

    /// <summary>Time after which a commit's wait for the standby is cut; null if the commit is durable.</summary>
    public TimeSpan? CutCommit(string service)
    {
        if (!stalled.Contains(service)) return null;
        Count("commit cut");
        return chance.Between(TimeSpan.Zero, LongestWait);
    }

    /// <summary>True when a write fails for lack of space.</summary>
    public bool IsDiskFull(string service)
    {
        if (!full.Contains(service)) return false;
        Count("disk full");
        return true;
    }

    /// <summary>
    /// True when a publish fails; <paramref name="sent"/> tells whether the messages were sent nevertheless.
    /// </summary>
    public bool PublishFails(string service, out bool sent)
    {
        sent = false;
        foreach (var fault in publishers)
        {
            if (fault.Service != service || !chance.Hit(fault.Rate)) continue;
            sent = chance.Hit(0.3);
            Count("publish failed");
            return true;
        }
        return false;
    }

    /// <summary>The most recent fault on a link.</summary>
    public LinkFault? OnLink(string from, string to) => links.FindLast(fault => fault.Concerns(from, to));

    public GatewayFault? OnGateway => gateways.Count == 0 ? null : gateways[^1];

    public ClientFault? OnClient => clients.Count == 0 ? null : clients[^1];
}
