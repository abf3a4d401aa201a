namespace Orderwright.Simulation;

/// <summary>Where in its work a process may be struck.</summary>
public enum FaultPoint
{
    /// <summary>Everything is written, nothing is durable.</summary>
    BeforeCommit,

    /// <summary>It is durable; nobody knows, nothing is sent.</summary>
    AfterCommit,
    BeforePublish,

    /// <summary>It is sent, and what caused it is not acknowledged.</summary>
    BeforeAck,
    BeforeGatewayCall,
    AfterGatewayCall,
}

/// <summary>How a transaction goes wrong without anybody dying.</summary>
public enum CommitFault
{
    None,
    Away,
    Fails,
    AnswerLost,
}

/// <summary>What ails the world at the moment: the faults that last, and those that lie in wait.</summary>
public sealed class Weather(Chance chance)
{
    readonly List<LinkTrouble> links = [];
    readonly List<DatabaseTrouble> databases = [];
    readonly List<PublishTrouble> publishers = [];
    readonly List<GatewayTrouble> gateways = [];
    readonly List<ClientTrouble> clients = [];
    readonly List<CrashAt> traps = [];
    readonly Dictionary<(string Service, FaultPoint Point), int> passed = [];

    /// <summary>How often something really went wrong, by kind.</summary>
    public SortedDictionary<string, int> Struck { get; } = new(StringComparer.Ordinal);

    public void Count(string kind) => Struck[kind] = Struck.GetValueOrDefault(kind) + 1;

    public void Begin(Fault fault)
    {
        switch (fault)
        {
            case LinkTrouble link: links.Add(link); break;
            case DatabaseTrouble database: databases.Add(database); break;
            case PublishTrouble publisher: publishers.Add(publisher); break;
            case GatewayTrouble gateway: gateways.Add(gateway); break;
            case ClientTrouble client: clients.Add(client); break;
            case CrashAt trap:
                traps.Add(trap with { Nth = passed.GetValueOrDefault((trap.Service, trap.Point)) + trap.Nth });
                break;
        }
    }

    public void End(Fault fault)
    {
        switch (fault)
        {
            case LinkTrouble link: links.Remove(link); break;
            case DatabaseTrouble database: databases.Remove(database); break;
            case PublishTrouble publisher: publishers.Remove(publisher); break;
            case GatewayTrouble gateway: gateways.Remove(gateway); break;
            case ClientTrouble client: clients.Remove(client); break;
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
    }

    /// <summary>A service passes a point; the crash that waited for it there, if one did.</summary>
    public CrashAt? Pass(string service, FaultPoint point)
    {
        var nth = passed[(service, point)] = passed.GetValueOrDefault((service, point)) + 1;
        if (traps.Count == 0) return null;
        var trap = traps.Find(trap => trap.Service == service && trap.Point == point && trap.Nth == nth);
        if (trap is not null) traps.Remove(trap);
        return trap;
    }

    public CommitFault OfCommit(string service)
    {
        foreach (var trouble in databases)
        {
            if (trouble.Service != service) continue;
            if (chance.Hit(trouble.Away)) return Struck(CommitFault.Away, "database away");
            if (chance.Hit(trouble.Fails)) return Struck(CommitFault.Fails, "commit failed");
            if (chance.Hit(trouble.AnswerLost)) return Struck(CommitFault.AnswerLost, "commit answer lost");
        }
        return CommitFault.None;

        CommitFault Struck(CommitFault fault, string kind)
        {
            Count(kind);
            return fault;
        }
    }

    /// <summary>The publish fails; whether it went out all the same is <paramref name="went"/>.</summary>
    public bool PublishFails(string service, out bool went)
    {
        went = false;
        foreach (var trouble in publishers)
        {
            if (trouble.Service != service || !chance.Hit(trouble.Rate)) continue;
            went = chance.Hit(0.3);
            Count("publish failed");
            return true;
        }
        return false;
    }

    /// <summary>Of several, the one that began last.</summary>
    public LinkTrouble? OfLink(string from, string to) => links.FindLast(trouble => trouble.Concerns(from, to));

    public GatewayTrouble? OfGateway => gateways.Count == 0 ? null : gateways[^1];

    public ClientTrouble? OfClient => clients.Count == 0 ? null : clients[^1];
}
