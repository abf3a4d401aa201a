using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>
/// A bug that a test injects into simulated processes by wrapping their ports or altering their parts. The base class
/// injects none.
/// </summary>
public class PlantedBug
{
    public static readonly PlantedBug None = new();

    public virtual IDatabase Wrap(Node node, IDatabase database) => database;

    public virtual ITransaction Wrap(Node node, ITransaction transaction) => transaction;

    public virtual IInbox Wrap(Node node, IInbox inbox) => inbox;

    public virtual IPaymentProvider Wrap(Node node, IPaymentProvider provider) => provider;

    public virtual Caller Alter(Caller caller) => caller;

    public virtual ServiceParts Alter(Node node, ServiceParts parts) => parts;
}
