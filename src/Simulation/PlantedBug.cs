using Orderwright.CustomerService.Payments;
using Orderwright.Http;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;
using Orderwright.StepService;
using Orderwright.Verification.Healing;

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

    /// <summary>Key of a call to an outside participant.</summary>
    public virtual string KeyOf(Guid orderId, StepCall call) => call.KeyOf(orderId);

    /// <summary>True where the undo of an outside step is taken for done without a call.</summary>
    public virtual bool SkipsUndo(StepCall call) => false;

    public virtual IHealedServices Wrap(IHealedServices services) => services;

    /// <summary>True where a restored service works before it is healed.</summary>
    public virtual bool IgnoresFences => false;

    public virtual Caller Alter(Caller caller) => caller;

    public virtual ServiceParts Alter(Node node, ServiceParts parts) => parts;
}
