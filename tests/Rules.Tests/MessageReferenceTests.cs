namespace Orderwright.Rules.Tests;

/// <summary>The published description of the messages.</summary>
public class MessageReferenceTests
{
    [Fact]
    public void The_document_is_up_to_date()
    {
        var root = Repository.Root;
        var path = Path.Combine(root, "docs", "reference", "asyncapi.json");
        var version = typeof(Contracts.MessageCatalog).Assembly.GetName().Version!.ToString(3);
        var expected = MessageReference.Write(
            version, File.ReadAllText(Path.Combine(root, "src", "Contracts", "Messages.cs")));
        if (Environment.GetEnvironmentVariable("ORDERWRIGHT_WRITE_DOCS") == "1") File.WriteAllText(path, expected);
        Assert.Equal(expected, File.ReadAllText(path));
    }
}
