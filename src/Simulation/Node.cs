using Microsoft.Extensions.Logging;
using Orderwright.Contracts;
using Orderwright.CustomerService;
using Orderwright.CustomerService.Calling;
using Orderwright.CustomerService.Customers;
using Orderwright.CustomerService.Healing;
using Orderwright.CustomerService.Payments;
using Orderwright.OrderService;
using Orderwright.OrderService.Fulfilments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Http;
using Orderwright.SagaCoordinator;
using Orderwright.SagaCoordinator.Operators;
using Orderwright.StepService;
using Orderwright.StockService;

namespace Orderwright.Simulation;

/// <summary>
/// A place where an instance of a service runs, with its name, database and clock. Restarted processes keep the slot.
/// </summary>
public sealed class Slot(World world, string service, int instance, IDatabase data)
{
    public string Service => service;

    public int Instance => instance;

    public IDatabase Data => data;

    /// <summary>Error of the host clock.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>The running process, if any.</summary>
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
        world.Trace.Record(null, $"{node} dies for {down.TotalSeconds:0.#} s");
        node.Die();
        world.Pump.After(down, Start);
    }
}

/// <summary>
/// A process from start to end: the real service with all loops, on simulated ports. After death the ports have no
/// effect; memory is lost, the database remains.
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
        time = new HostTime(world.Pump, Lane, () => slot.Skew, world.PollPause, world.LeastPause);
    }

    public World World { get; }

    public Lane Lane { get; }

    public string Service => slot.Service;

    public int Number { get; }

    public bool IsDead { get; private set; }

    /// <summary>True when the process is alive with all loops running.</summary>
    public bool IsUp { get; private set; }

    /// <summary>True when another instance took the inbox over while this process was alive.</summary>
    public bool WasTakenOver { get; set; }

    /// <summary>Completes at death. Callers awaiting a response watch this task.</summary>
    public Task End => end.Task;

    /// <summary>The exception that killed a background loop; a violation in every run.</summary>
    public string? Fault => IsDead ? null : died.Exception?.InnerException?.Message;

    public OrderApi? Orders { get; private set; }

    public FulfilmentApi? Fulfilling { get; private set; }

    public ChangeCatalogue? Catalogue { get; private set; }

    public ChangeCustomers? Customers { get; private set; }

    public Webhooks? Webhooks { get; private set; }

    public CommandGroup<OperatorPaymentAction>? Payments { get; private set; }

    public CommandGroup<OperatorAction>? Operators { get; private set; }

    /// <summary>Calls of outside participants, and their replies.</summary>
    public StepCalls? Steps { get; private set; }

    /// <summary>Repairs after a restore, by the service of the node.</summary>
    public CommandGroup<HealOrdersRequest>? HealOrders { get; private set; }

    public CommandGroup<HealSagasRequest>? HealSagas { get; private set; }

    public CommandGroup<HealReservationsRequest>? HealReservations { get; private set; }

    public HealPayments? HealPayments { get; private set; }

    /// <summary>The running service; null before the start.</summary>
    public RunningService? Running { get; private set; }

    public TimeProvider Time => time;

    public void Start() => Lane.Start(async () =>
    {
        World.Trace.Record(null, $"{this} starts");
        var service = new RunningService(
            new SimulatedModule(this), World.Bug.Wrap(this, new NodeDatabase(this, slot.Data)),
            new NodeTransport(this, World.Network), World.Options, World.Settings, time,
            new NodeIds(World.IdChance), World.Trace.Logs);
        (died, abandon, Running) = (service.Died, service.Abandon, service);
        await service.StartAsync(CancellationToken.None);
        IsUp = !IsDead;
    });

    public void Die()
    {
        IsDead = true;
        IsUp = false;
        Lane.End();
        World.Network.Disconnect(this);
        abandon?.Invoke();
        end.TrySetResult();
    }

    /// <summary>Brings the next poll of every job forward.</summary>
    public void PollSoon() => time.PollSoon(World.PollPause);

    public void EnsureAlive()
    {
        if (IsDead) throw new CrashedException(ToString());
    }

    /// <summary>Throws where the process is dead, or dies here by the plan.</summary>
    public void Reach(FaultPoint point)
    {
        EnsureAlive();
        if (World.Faults.Reach(Service, point) is not { } crash) return;
        World.Faults.Count($"crash {point}");
        slot.Crash(crash.Down);
        throw new CrashedException(ToString());
    }

    public override string ToString() => $"{Service}#{slot.Instance}";

    /// <summary>
    /// The real module, with jobs whose polling the simulation can slow down, and without the loops serving only live
    /// streams.
    /// </summary>
    sealed class SimulatedModule(Node node) : IServiceModule
    {
        public string Name => node.Service;

        public ServiceParts Build(ServiceContext given)
        {
            var parts = node.World.Bug.Alter(node, BuildReal(given));
            return parts with
            {
                Jobs = [.. parts.Jobs.Select(job => job with { Interval = HostTime.PollMarker })],
                Loops = [.. parts.Loops.Where(loop => loop.Name is not ("feed" or "watch-decisions"))],
            };
        }

        ServiceParts BuildReal(ServiceContext given)
        {
            switch (node.Service)
            {
                case ServiceNames.Order:
                    var orders = new OrderModule().Build(ContextOf<OrderModule>(given));
                    (node.Orders, node.Fulfilling, node.HealOrders) = (orders.Api, orders.Fulfilments, orders.Healing);
                    return orders;
                case ServiceNames.Stock:
                    var stock = new StockModule().Build(ContextOf<StockModule>(given));
                    (node.Catalogue, node.HealReservations) = (stock.Catalogue, stock.Healing);
                    return stock;
                case ServiceNames.Customer:
                    var provider = node.World.Bug.Wrap(node, new GatewayProvider(node));
                    var customers = new CustomerModule(provider).Build(ContextOf<CustomerModule>(given));
                    (node.Customers, node.Webhooks, node.Payments, node.HealPayments) =
                        (customers.Customers, customers.Webhooks, customers.Operators, customers.Healing);
                    return customers;
                default:
                    var sagas = new SagaModule(new OutsideParticipants(node)).Build(ContextOf<SagaModule>(given));
                    (node.Operators, node.HealSagas, node.Steps) = (sagas.Operators, sagas.Healing, sagas.Steps);
                    return sagas;
            }
        }

        // Statements are embedded in the service's assembly, this module in the simulation's.
        static ServiceContext ContextOf<TModule>(ServiceContext given) =>
            given with { Sql = SqlCatalog.Of(typeof(TModule).Assembly, given.Database.Engine) };
    }
}
