using Orderwright.CustomerService.Payments;
using Orderwright.Runtime;
using Orderwright.Runtime.Database;
using Orderwright.Runtime.Transport;

namespace Orderwright.Simulation;

/// <summary>
/// Where a test may put a bug into a simulated process: around what it is given and what it is made of. This one puts none.
/// </summary>
public class Plant
{
    public static readonly Plant None = new();

    public virtual IDatabase Wrap(Node node, IDatabase database) => database;

    public virtual ITransaction Wrap(Node node, ITransaction transaction) => transaction;

    public virtual IInbox Wrap(Node node, IInbox inbox) => inbox;

    public virtual IPaymentProvider Wrap(Node node, IPaymentProvider provider) => provider;

    public virtual ServiceParts Alter(Node node, ServiceParts parts) => parts;
}
