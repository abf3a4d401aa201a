using Orderwright.CustomerService;

namespace Orderwright.Conformance.Customer;

public sealed class CustomerSqlFacts
{
    [Fact]
    public void Customer_services_sql_is_the_same_in_both_dialects() =>
        Assert.Empty(SqlSiblings.Differences(typeof(CustomerModule).Assembly));
}
