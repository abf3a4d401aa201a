using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Customers;
using Orderwright.OrderService;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.SagaCoordinator;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.StockService;

namespace Orderwright.Simulation;

/// <summary>A place where an instance of a service runs, again and again: its name, its database, its clock.</summary>
public sealed class Slot(World world, string service, int instance, IDatabase data)
{
    public string Service => service;

    public int Instance => instance;

    public IDatabase Data => data;

    /// <summary>How far its clock is wrong.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>The process that runs here, if one does.</summary>
    public Node? Node { get; private set; }

    public void Start()
    {
        if (Node is { IsDead: false }) return;
        Node = new Node(world, this);
        Node.Start();
    }

    public void Crash(TimeSpan down)
    {
        if (Node is not { IsDead: false } node) return;
        world.Trace.Tell(null, $"{node} dies, for {down.TotalSeconds:0.#} s");
        node.Die();
        world.Pump.After(down, Start);
    }
}

/// <summary>
/// One process, from its start to its end: the real service with all its loops, on ports that the simulation holds. When
/// it dies, its ports have no effect any more; what it knew is gone, its database stays.
/// </summary>
public sealed class Node
{
    readonly Slot slot;
    readonly HostTime time;
    readonly TaskCompletionSource end = new();
    Task died = Task.CompletedTask;
    Action? abandon;

    public Node(World world, Slot slot)
    {
        (World, this.slot) = (world, slot);
        Number = world.NextNode();
        Lane = new Lane(world.Pump);
        time = new HostTime(world.Pump, Lane, () => slot.Skew, world.PollPause);
    }

    public World World { get; }

    public Lane Lane { get; }

    public string Service => slot.Service;

    public int Number { get; }

    public bool IsDead { get; private set; }

    /// <summary>It is alive, and its loops run.</summary>
    public bool IsUp { get; private set; }

    /// <summary>When it is dead: whoever waits for an answer of it waits in vain.</summary>
    public Task End => end.Task;

    /// <summary>A loop of it died, which must never be.</summary>
    public string? Fault => IsDead ? null : died.Exception?.InnerException?.Message;

    public OrderApi? Orders { get; private set; }

    public FulfilmentApi? Fulfilling { get; private set; }

    public ChangeCatalogue? Catalogue { get; private set; }

    public ChangeCustomers? Customers { get; private set; }

    public Webhooks? Webhooks { get; private set; }

    public CommandGroup<OperatorAction>? Operators { get; private set; }

    public TimeProvider Time => time;

    public void Start() => Lane.Start(async () =>
    {
        World.Trace.Tell(null, $"{this} starts");
        var service = new RunningService(
            new SimulatedModule(this), World.Plant.Wrap(this, new NodeDatabase(this, slot.Data)),
            new NodeTransport(this, World.Network), World.Options, World.Settings, time,
            new NodeIds(World.IdChance), World.Trace.Logs);
        (died, abandon) = (service.Died, service.Abandon);
        await service.StartAsync(CancellationToken.None);
        IsUp = !IsDead;
    });

    public void Die()
    {
        IsDead = true;
        IsUp = false;
        Lane.End();
        World.Network.GiveBack(this);
        abandon?.Invoke();
        end.TrySetResult();
    }

    /// <summary>Whoever rests between two looks looks again soon.</summary>
    public void Hurry() => time.Hurry(World.PollPause);

    public void EnsureAlive()
    {
        if (IsDead) throw new CrashedException(ToString());
    }

    /// <summary>Throws where it is dead, or dies here.</summary>
    public void Pass(FaultPoint point)
    {
        EnsureAlive();
        if (World.Weather.Pass(Service, point) is not { } crash) return;
        World.Weather.Count($"crash {point}");
        slot.Crash(crash.Down);
        throw new CrashedException(ToString());
    }

    public override string ToString() => $"{Service}#{slot.Instance}";

    /// <summary>
    /// The real module, with jobs whose loops the simulation can slow down, and without what only serves live streams.
    /// </summary>
    sealed class SimulatedModule(Node node) : IServiceModule
    {
        public string Name => node.Service;

        public ServiceParts Build(ServiceContext given)
        {
            var parts = node.World.Plant.Alter(node, BuildReal(given));
            return parts with
            {
                Jobs = [.. parts.Jobs.Select(job => job with { Interval = HostTime.PollMark })],
                Loops = [.. parts.Loops.Where(loop => loop.Name is not ("feed" or "watch-decisions"))],
            };
        }

        ServiceParts BuildReal(ServiceContext given)
        {
            switch (node.Service)
            {
                case ServiceNames.Order:
                    var orders = new OrderModule().Build(ContextOf<OrderModule>(given));
                    (node.Orders, node.Fulfilling) = (orders.Api, orders.Fulfilments);
                    return orders;
                case ServiceNames.Stock:
                    var stock = new StockModule().Build(ContextOf<StockModule>(given));
                    node.Catalogue = stock.Catalogue;
                    return stock;
                case ServiceNames.Customer:
                    var provider = node.World.Plant.Wrap(node, new GatewayProvider(node));
                    var customers = new CustomerModule(provider).Build(ContextOf<CustomerModule>(given));
                    (node.Customers, node.Webhooks) = (customers.Customers, customers.Webhooks);
                    return customers;
                default:
                    var sagas = new SagaModule().Build(ContextOf<SagaModule>(given));
                    node.Operators = sagas.Operators;
                    return sagas;
            }
        }

        // A service's statements stand in its module's assembly, and this one's is ours.
        static ServiceContext ContextOf<TModule>(ServiceContext given) =>
            given with { Sql = SqlCatalog.Of(typeof(TModule).Assembly, given.Database.Engine) };
    }
}
